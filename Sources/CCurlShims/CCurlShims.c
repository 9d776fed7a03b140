#define _GNU_SOURCE
#include "CCurlShims.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_offset(CURL *handle, CURLoption option, int64_t value) {
    return curl_easy_setopt(handle, option, (curl_off_t)value);
}

CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_write(CURL *handle, CURLoption option, ccurl_write_callback value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_read(CURL *handle, CURLoption option, ccurl_read_callback value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_seek(CURL *handle, ccurl_seek_callback value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}

CURLcode ccurl_set_progress(CURL *handle, ccurl_progress_callback value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

CURLcode ccurl_set_schemes(CURL *handle, bool plain) {
#if LIBCURL_VERSION_NUM >= 0x075500
    const char *schemes = plain ? "http,https" : "https";
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, schemes);
    return code ? code : curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
#else
    long schemes = plain ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS;
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS, schemes);
    return code ? code : curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, schemes);
#endif
}

CURLcode ccurl_perform(CURL *handle) {
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    bool held = pthread_sigmask(SIG_BLOCK, &pipe, &before) == 0;
    CURLcode code = curl_easy_perform(handle);
    if (held) {
        struct timespec now = {0};
        if (!was_pending) sigtimedwait(&pipe, NULL, &now);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return code;
}

CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLcode ccurl_get_offset(CURL *handle, CURLINFO info, int64_t *value) {
    curl_off_t answer = 0;
    CURLcode code = curl_easy_getinfo(handle, info, &answer);
    *value = answer;
    return code;
}
