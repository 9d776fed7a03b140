#include "CSherpaOnnx.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

namespace {

int answer_descriptor = -1;
const char *answer_line = nullptr;
size_t answer_length = 0;

// ONNX Runtime wraps a refused allocation in an exception of its own, whose text alone says so.
bool says_out_of_memory(const char *what) {
    return what != nullptr &&
           (std::strstr(what, "bad_alloc") != nullptr ||
            std::strstr(what, "Failed to allocate memory") != nullptr);
}

bool is_out_of_memory() {
    std::exception_ptr current = std::current_exception();
    if (current == nullptr) return false;
    try {
        std::rethrow_exception(current);
    } catch (const std::bad_alloc &) {
        return true;
    } catch (const std::exception &error) {
        return says_out_of_memory(error.what());
    } catch (...) {
        return false;
    }
}

// The handler that was there before prints the exception; abort() then says what happened.
std::terminate_handler before = nullptr;

[[noreturn]] void answer() {
    if (answer_descriptor >= 0 && is_out_of_memory()) {
        size_t done = 0;
        while (done < answer_length) {
            ssize_t count = write(answer_descriptor, answer_line + done, answer_length - done);
            if (count <= 0) std::abort();
            done += static_cast<size_t>(count);
        }
        _exit(0);
    }
    if (before != nullptr) before();
    std::abort();
}

}  // namespace

extern "C" void csherpa_answer_out_of_memory(int descriptor, const char *line, size_t length) {
    answer_descriptor = descriptor;
    answer_line = line;
    answer_length = length;
    before = std::set_terminate(answer);
}
