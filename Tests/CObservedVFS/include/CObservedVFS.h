// A SQLite VFS over the default one that asks an observer before each call that changes or reads the disk, and tells it
// after each that has changed it.
#ifndef COBSERVED_VFS_H
#define COBSERVED_VFS_H

#include <stdbool.h>
#include <stdint.h>

// What SQLite does to its files; locks are not asked about.
enum observed_operation {
    OBSERVED_OPEN,
    OBSERVED_WRITE,
    OBSERVED_TRUNCATE,
    // Of a file, or of the folder of a name that was made or removed.
    OBSERVED_SYNC,
    OBSERVED_UNLINK,
    // Of these nobody is told.
    OBSERVED_READ,
    // Of a file's length, or of whether a name is there.
    OBSERVED_STATUS,
};

struct observed_call {
    enum observed_operation operation;
    // Absolute; the caller's.
    const char *path;
    // The bytes that it is to move, for a write or a read; for a truncation those that stay.
    int64_t start, count;
};

enum observed_decision { OBSERVED_PROCEED, OBSERVED_FAIL, OBSERVED_AT_MOST, OBSERVED_PRETEND };

struct observed_verdict {
    enum observed_decision decision;
    // The errno of FAIL, the bytes of AT_MOST (at least 1).
    int64_t number;
};

typedef struct observed_verdict (*observed_ask)(void *observer, const struct observed_call *call);
// `answer`: bytes of a write, otherwise 0. Not told of a call that failed.
typedef void (*observed_tell)(void *observer, const struct observed_call *call, int64_t answer);

// Registers a VFS under this name for as long as the process lives, and `observer` must live as long.
// Returns SQLite's result code.
int observed_vfs_register(const char *name, void *observer, observed_ask ask, observed_tell tell);

#endif
