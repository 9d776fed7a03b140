// Typed doors to libcurl's variadic functions, which Swift cannot call: one per kind of argument.
#ifndef CCURL_SHIMS_H
#define CCURL_SHIMS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

// The callbacks of libcurl, by the types its manual gives them.
typedef size_t (*ccurl_write_callback)(char *bytes, size_t size, size_t count, void *user);
typedef size_t (*ccurl_read_callback)(char *into, size_t size, size_t count, void *user);
typedef int (*ccurl_seek_callback)(void *user, curl_off_t offset, int origin);
typedef int (*ccurl_progress_callback)(
    void *user, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent);

CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *handle, CURLoption option, int64_t value);
CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode ccurl_set_write(CURL *handle, CURLoption option, ccurl_write_callback value);
CURLcode ccurl_set_read(CURL *handle, CURLoption option, ccurl_read_callback value);
CURLcode ccurl_set_seek(CURL *handle, ccurl_seek_callback value);
CURLcode ccurl_set_progress(CURL *handle, ccurl_progress_callback value);
// Which schemes a request and a redirect may use: https, and http where `plain`.
CURLcode ccurl_set_schemes(CURL *handle, bool plain);

// curl_easy_perform with SIGPIPE held back from this thread: OpenSSL's writes to a closed connection raise it,
// and a library must neither die of it nor change what its host does with signals.
CURLcode ccurl_perform(CURL *handle);

CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value);
CURLcode ccurl_get_offset(CURL *handle, CURLINFO info, int64_t *value);

#endif
