#include "LastError.h"
#include "fieldfare.h"

#include <string.h>

// Swift has no variables of a thread.
static _Thread_local char last_error[1024];

const char *fieldfare_last_error(void) {
    return last_error;
}

void cfieldfare_set_last_error(const char *text) {
    strncpy(last_error, text, sizeof last_error - 1);
}
