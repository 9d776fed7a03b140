// The part of the sherpa-onnx C API that Fieldfare uses, behind functions of our own.
//
// The wheel's c-api.h is never copied into the project: CSherpaOnnx.c includes it where the set-up has
// unpacked it, so that the compiler lays out its structs, and opens the library at run time. Where the header
// is absent everything still compiles, and csherpa_open says so.
#ifndef CSHERPAONNX_H
#define CSHERPAONNX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csherpa_library csherpa_library;
typedef struct csherpa_recogniser csherpa_recogniser;
typedef struct csherpa_stream csherpa_stream;
typedef struct csherpa_result csherpa_result;

/// The version of the header that this was compiled with, or NULL where there was none.
const char *csherpa_compiled_version(void);

/// Opens libsherpa-onnx-c-api.so at `path` and looks up every function. It is never closed again.
///
/// Returns NULL, with a sentence in `reason` (at most `capacity` bytes with its end), where the library
/// cannot be opened, lacks a function, or is not of the version compiled with.
const csherpa_library *csherpa_open(const char *path, char *reason, size_t capacity);

/// The version that the library says it is.
const char *csherpa_version(const csherpa_library *library);

/// Makes an offline recogniser of a NeMo CTC model, greedy search, one thread; NULL where the runtime refuses.
///
/// On some models the runtime ends the process instead (ASR smoke tests run in a child for this reason).
csherpa_recogniser *csherpa_recogniser_create(
    const csherpa_library *library, const char *model, const char *tokens, int32_t sample_rate,
    int32_t bins);
void csherpa_recogniser_destroy(csherpa_recogniser *recogniser);

/// A stream takes sound once, is decoded once, and gives one result.
csherpa_stream *csherpa_stream_create(const csherpa_recogniser *recogniser);
void csherpa_stream_accept(
    csherpa_stream *stream, int32_t sample_rate, const float *samples, int32_t count);
void csherpa_stream_decode(csherpa_stream *stream);
void csherpa_stream_destroy(csherpa_stream *stream);

csherpa_result *csherpa_result_take(const csherpa_stream *stream);
const char *csherpa_result_text(const csherpa_result *result);
int32_t csherpa_result_count(const csherpa_result *result);
/// The symbol of token `index`, 0 ..< count; NULL where the runtime gave none.
const char *csherpa_result_token(const csherpa_result *result, int32_t index);
/// Seconds from the start of the sound; negative where the runtime gave no time.
float csherpa_result_time(const csherpa_result *result, int32_t index);
void csherpa_result_destroy(csherpa_result *result);

/// Changes what happens when the runtime throws and nobody catches: where the exception says that memory ran
/// out, `length` bytes at `line` (which must stay valid) are written to `descriptor`, and the process exits 0.
/// Every other exception aborts, as before.
void csherpa_answer_out_of_memory(int descriptor, const char *line, size_t length);

#ifdef __cplusplus
}
#endif

#endif
