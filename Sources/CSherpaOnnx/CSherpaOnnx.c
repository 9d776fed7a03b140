#include "CSherpaOnnx.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include("sherpa-onnx/c-api/c-api.h") && __has_include("fieldfare/speech-runtime.h")

#include "fieldfare/speech-runtime.h"
#include "sherpa-onnx/c-api/c-api.h"

// Each function is listed once: its member in the table, and its name in the library.
#define CSHERPA_FUNCTIONS(X)                                                                      \
    X(version, SherpaOnnxGetVersionStr)                                                           \
    X(create_recogniser, SherpaOnnxCreateOfflineRecognizer)                                       \
    X(destroy_recogniser, SherpaOnnxDestroyOfflineRecognizer)                                     \
    X(create_stream, SherpaOnnxCreateOfflineStream)                                               \
    X(destroy_stream, SherpaOnnxDestroyOfflineStream)                                             \
    X(accept, SherpaOnnxAcceptWaveformOffline)                                                    \
    X(decode, SherpaOnnxDecodeOfflineStream)                                                      \
    X(take_result, SherpaOnnxGetOfflineStreamResult)                                              \
    X(destroy_result, SherpaOnnxDestroyOfflineRecognizerResult)

struct csherpa_library {
#define CSHERPA_MEMBER(member, name) __typeof__(&name) member;
    CSHERPA_FUNCTIONS(CSHERPA_MEMBER)
#undef CSHERPA_MEMBER
};

struct csherpa_recogniser {
    const csherpa_library *library;
    const SherpaOnnxOfflineRecognizer *inner;
};

struct csherpa_stream {
    const csherpa_recogniser *recogniser;
    const SherpaOnnxOfflineStream *inner;
};

struct csherpa_result {
    const csherpa_library *library;
    const SherpaOnnxOfflineRecognizerResult *inner;
};

const char *csherpa_compiled_version(void) { return FIELDFARE_SPEECH_RUNTIME_VERSION; }

// Fills the table; the name of the first function that is not there, or NULL.
static const char *look_up(void *handle, csherpa_library *library) {
#define CSHERPA_LOOK_UP(member, name)                                                             \
    library->member = (__typeof__(&name))dlsym(handle, #name);                                    \
    if (library->member == NULL) return #name;
    CSHERPA_FUNCTIONS(CSHERPA_LOOK_UP)
#undef CSHERPA_LOOK_UP
    return NULL;
}

const csherpa_library *csherpa_open(const char *path, char *reason, size_t capacity) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(reason, capacity, "%s", dlerror());
        return NULL;
    }
    csherpa_library *library = calloc(1, sizeof *library);
    if (library == NULL) {
        snprintf(reason, capacity, "no memory");
        return NULL;
    }
    const char *missing = look_up(handle, library);
    if (missing != NULL) {
        snprintf(reason, capacity, "%s has no function %s", path, missing);
        free(library);
        return NULL;
    }
    const char *found = library->version();
    // The configuration struct changes between releases: another version would read it wrongly.
    if (found == NULL || strcmp(found, FIELDFARE_SPEECH_RUNTIME_VERSION) != 0) {
        snprintf(reason, capacity, "expected sherpa-onnx %s, as compiled for, got %s",
            FIELDFARE_SPEECH_RUNTIME_VERSION, found == NULL ? "no version" : found);
        free(library);
        return NULL;
    }
    return library;
}

const char *csherpa_version(const csherpa_library *library) { return library->version(); }

csherpa_recogniser *csherpa_recogniser_create(
    const csherpa_library *library, const char *model, const char *tokens, int32_t sample_rate,
    int32_t bins) {
    SherpaOnnxOfflineRecognizerConfig config;
    memset(&config, 0, sizeof config);
    config.feat_config.sample_rate = sample_rate;
    config.feat_config.feature_dim = bins;
    config.model_config.nemo_ctc.model = model;
    config.model_config.tokens = tokens;
    config.model_config.num_threads = 1;
    config.model_config.provider = "cpu";
    config.decoding_method = "greedy_search";
    const SherpaOnnxOfflineRecognizer *inner = library->create_recogniser(&config);
    if (inner == NULL) return NULL;
    csherpa_recogniser *recogniser = calloc(1, sizeof *recogniser);
    if (recogniser == NULL) abort();
    recogniser->library = library;
    recogniser->inner = inner;
    return recogniser;
}

void csherpa_recogniser_destroy(csherpa_recogniser *recogniser) {
    recogniser->library->destroy_recogniser(recogniser->inner);
    free(recogniser);
}

csherpa_stream *csherpa_stream_create(const csherpa_recogniser *recogniser) {
    const SherpaOnnxOfflineStream *inner = recogniser->library->create_stream(recogniser->inner);
    csherpa_stream *stream = calloc(1, sizeof *stream);
    if (inner == NULL || stream == NULL) abort();
    stream->recogniser = recogniser;
    stream->inner = inner;
    return stream;
}

void csherpa_stream_accept(
    csherpa_stream *stream, int32_t sample_rate, const float *samples, int32_t count) {
    stream->recogniser->library->accept(stream->inner, sample_rate, samples, count);
}

void csherpa_stream_decode(csherpa_stream *stream) {
    stream->recogniser->library->decode(stream->recogniser->inner, stream->inner);
}

void csherpa_stream_destroy(csherpa_stream *stream) {
    stream->recogniser->library->destroy_stream(stream->inner);
    free(stream);
}

csherpa_result *csherpa_result_take(const csherpa_stream *stream) {
    const csherpa_library *library = stream->recogniser->library;
    const SherpaOnnxOfflineRecognizerResult *inner = library->take_result(stream->inner);
    csherpa_result *result = calloc(1, sizeof *result);
    if (inner == NULL || result == NULL) abort();
    result->library = library;
    result->inner = inner;
    return result;
}

const char *csherpa_result_text(const csherpa_result *result) { return result->inner->text; }

int32_t csherpa_result_count(const csherpa_result *result) { return result->inner->count; }

const char *csherpa_result_token(const csherpa_result *result, int32_t index) {
    if (result->inner->tokens_arr == NULL || index < 0 || index >= result->inner->count) return NULL;
    return result->inner->tokens_arr[index];
}

float csherpa_result_time(const csherpa_result *result, int32_t index) {
    if (result->inner->timestamps == NULL || index < 0 || index >= result->inner->count) return -1;
    return result->inner->timestamps[index];
}

void csherpa_result_destroy(csherpa_result *result) {
    result->library->destroy_result(result->inner);
    free(result);
}

#else

// Without the header nothing can be opened, so nothing below csherpa_open is ever reached.

const char *csherpa_compiled_version(void) { return NULL; }

const csherpa_library *csherpa_open(const char *path, char *reason, size_t capacity) {
    snprintf(reason, capacity, "built without the speech runtime's header");
    return NULL;
}

const char *csherpa_version(const csherpa_library *library) { abort(); }

csherpa_recogniser *csherpa_recogniser_create(
    const csherpa_library *library, const char *model, const char *tokens, int32_t sample_rate,
    int32_t bins) {
    abort();
}

void csherpa_recogniser_destroy(csherpa_recogniser *recogniser) { abort(); }
csherpa_stream *csherpa_stream_create(const csherpa_recogniser *recogniser) { abort(); }
void csherpa_stream_accept(
    csherpa_stream *stream, int32_t sample_rate, const float *samples, int32_t count) {
    abort();
}
void csherpa_stream_decode(csherpa_stream *stream) { abort(); }
void csherpa_stream_destroy(csherpa_stream *stream) { abort(); }
csherpa_result *csherpa_result_take(const csherpa_stream *stream) { abort(); }
const char *csherpa_result_text(const csherpa_result *result) { abort(); }
int32_t csherpa_result_count(const csherpa_result *result) { abort(); }
const char *csherpa_result_token(const csherpa_result *result, int32_t index) { abort(); }
float csherpa_result_time(const csherpa_result *result, int32_t index) { abort(); }
void csherpa_result_destroy(csherpa_result *result) { abort(); }

#endif
