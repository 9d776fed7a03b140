#define _GNU_SOURCE
#include "CObservedVFS.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct observed_vfs {
    // First, so that SQLite's pointer is ours.
    sqlite3_vfs vfs;
    sqlite3_vfs *base;
    void *observer;
    observed_ask ask;
    observed_tell tell;
};

struct observed_file {
    sqlite3_file file;
    struct observed_vfs *vfs;
    // NULL for a temporary file, which has no name and of which nobody is told.
    const char *path;
    // Whether the default VFS syncs the folder too when this file is synced next (UNIXFILE_DIRSYNC).
    bool syncs_folder;
    // The default VFS's file, in the room behind this struct.
    sqlite3_file *base;
};

// Asks about a call; an interruption is retried, like a real one.
static struct observed_verdict ask(struct observed_vfs *vfs, const struct observed_call *call) {
    struct observed_verdict verdict;
    do {
        verdict = vfs->ask(vfs->observer, call);
    } while (verdict.decision == OBSERVED_FAIL && verdict.number == EINTR);
    return verdict;
}

// The folder of a file; the caller frees it.
static char *folder_of(const char *path) {
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) *(slash == folder ? slash + 1 : slash) = 0;
    return folder;
}

static int sync_folder(const char *folder) {
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return SQLITE_IOERR_DIR_FSYNC;
    int answer = fsync(file);
    close(file);
    return answer < 0 ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

// Files

static struct observed_file *ours(sqlite3_file *file) { return (struct observed_file *)file; }

static int file_close(sqlite3_file *file) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xClose(base);
}

static int file_read(sqlite3_file *file, void *into, int count, sqlite3_int64 offset) {
    struct observed_file *own = ours(file);
    sqlite3_file *base = own->base;
    if (own->path) {
        struct observed_call call = {OBSERVED_READ, own->path, offset, count};
        if (ask(own->vfs, &call).decision == OBSERVED_FAIL) return SQLITE_IOERR_READ;
    }
    return base->pMethods->xRead(base, into, count, offset);
}

// As the default VFS does, a short write is gone on with.
static int file_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 offset) {
    struct observed_file *own = ours(file);
    sqlite3_file *base = own->base;
    if (!own->path) return base->pMethods->xWrite(base, from, count, offset);
    const char *bytes = from;
    while (count > 0) {
        struct observed_call call = {OBSERVED_WRITE, own->path, offset, count};
        struct observed_verdict verdict = ask(own->vfs, &call);
        if (verdict.decision == OBSERVED_FAIL) {
            errno = verdict.number;
            return verdict.number == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        }
        if (verdict.decision == OBSERVED_PRETEND) return SQLITE_OK;
        int part = count;
        if (verdict.decision == OBSERVED_AT_MOST && verdict.number < count) {
            part = verdict.number < 1 ? 1 : (int)verdict.number;
        }
        int code = base->pMethods->xWrite(base, bytes, part, offset);
        if (code != SQLITE_OK) return code;
        own->vfs->tell(own->vfs->observer, &call, part);
        bytes += part;
        offset += part;
        count -= part;
    }
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct observed_file *own = ours(file);
    sqlite3_file *base = own->base;
    if (!own->path) return base->pMethods->xTruncate(base, size);
    struct observed_call call = {OBSERVED_TRUNCATE, own->path, 0, size};
    struct observed_verdict verdict = ask(own->vfs, &call);
    if (verdict.decision == OBSERVED_FAIL) return SQLITE_IOERR_TRUNCATE;
    if (verdict.decision == OBSERVED_PRETEND) return SQLITE_OK;
    int code = base->pMethods->xTruncate(base, size);
    if (code == SQLITE_OK) own->vfs->tell(own->vfs->observer, &call, 0);
    return code;
}

static int file_sync(sqlite3_file *file, int flags) {
    struct observed_file *own = ours(file);
    sqlite3_file *base = own->base;
    if (!own->path) return base->pMethods->xSync(base, flags);
    struct observed_call call = {OBSERVED_SYNC, own->path, 0, 0};
    struct observed_verdict verdict = ask(own->vfs, &call);
    if (verdict.decision == OBSERVED_FAIL) return SQLITE_IOERR_FSYNC;
    if (verdict.decision == OBSERVED_PRETEND) return SQLITE_OK;
    int code = base->pMethods->xSync(base, flags);
    if (code != SQLITE_OK) return code;
    own->vfs->tell(own->vfs->observer, &call, 0);
    if (own->syncs_folder) {
        own->syncs_folder = false;
        char *folder = folder_of(own->path);
        if (!folder) return SQLITE_IOERR_NOMEM;
        struct observed_call also = {OBSERVED_SYNC, folder, 0, 0};
        own->vfs->tell(own->vfs->observer, &also, 0);
        free(folder);
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct observed_file *own = ours(file);
    sqlite3_file *base = own->base;
    if (own->path) {
        struct observed_call call = {OBSERVED_STATUS, own->path, 0, 0};
        if (ask(own->vfs, &call).decision == OBSERVED_FAIL) return SQLITE_IOERR_FSTAT;
    }
    return base->pMethods->xFileSize(base, size);
}

static int file_lock(sqlite3_file *file, int level) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xLock(base, level);
}

static int file_unlock(sqlite3_file *file, int level) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xUnlock(base, level);
}

static int file_check_lock(sqlite3_file *file, int *is_reserved) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xCheckReservedLock(base, is_reserved);
}

static int file_control(sqlite3_file *file, int operation, void *argument) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xFileControl(base, operation, argument);
}

static int file_sector(sqlite3_file *file) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xSectorSize(base);
}

static int file_characteristics(sqlite3_file *file) {
    sqlite3_file *base = ours(file)->base;
    return base->pMethods->xDeviceCharacteristics(base);
}

// Version 1: no shared memory and no mapping, so that every change of a file comes through here.
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
};

// Names

static int vfs_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *opened) {
    struct observed_vfs *own = (struct observed_vfs *)vfs;
    struct observed_file *made = ours(file);
    const bool is_making = name && flags & SQLITE_OPEN_CREATE;
    struct observed_call call = {OBSERVED_OPEN, name, 0, 0};
    // SQLite closes what has methods, also after a failure.
    *made = (struct observed_file){0};
    if (is_making && ask(own, &call).decision == OBSERVED_FAIL) return SQLITE_CANTOPEN;
    made->vfs = own;
    made->path = name;
    made->syncs_folder = is_making
        && flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL);
    made->base = (sqlite3_file *)(made + 1);
    int code = own->base->xOpen(own->base, name, made->base, flags, opened);
    if (made->base->pMethods) made->file.pMethods = &methods;
    if (code == SQLITE_OK && is_making) own->tell(own->observer, &call, 0);
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs_folder) {
    struct observed_vfs *own = (struct observed_vfs *)vfs;
    struct observed_call call = {OBSERVED_UNLINK, name, 0, 0};
    struct observed_verdict verdict = ask(own, &call);
    if (verdict.decision == OBSERVED_FAIL) return SQLITE_IOERR_DELETE;
    if (verdict.decision == OBSERVED_PRETEND) return SQLITE_OK;
    int code = own->base->xDelete(own->base, name, 0);
    if (code != SQLITE_OK) return code;
    own->tell(own->observer, &call, 0);
    if (!syncs_folder) return SQLITE_OK;
    char *folder = folder_of(name);
    if (!folder) return SQLITE_IOERR_NOMEM;
    struct observed_call sync = {OBSERVED_SYNC, folder, 0, 0};
    verdict = ask(own, &sync);
    if (verdict.decision == OBSERVED_FAIL) {
        code = SQLITE_IOERR_DIR_FSYNC;
    } else if (verdict.decision != OBSERVED_PRETEND) {
        code = sync_folder(folder);
        if (code == SQLITE_OK) own->tell(own->observer, &sync, 0);
    }
    free(folder);
    return code;
}

// Whether a name is there: SQLite's own VFS takes any failure for "no", and so does this.
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
    struct observed_vfs *own = (struct observed_vfs *)vfs;
    struct observed_call call = {OBSERVED_STATUS, name, 0, 0};
    if (ask(own, &call).decision == OBSERVED_FAIL) {
        *answer = 0;
        return SQLITE_OK;
    }
    return own->base->xAccess(own->base, name, flags, answer);
}

int observed_vfs_register(const char *name, void *observer, observed_ask ask, observed_tell tell) {
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    if (!base) return SQLITE_ERROR;
    struct observed_vfs *own = malloc(sizeof *own);
    const char *kept = strdup(name);
    if (!own || !kept) return SQLITE_NOMEM;
    // What is not replaced is the default VFS's own, and looks at nothing that differs here.
    *own = (struct observed_vfs){
        .vfs = *base, .base = base, .observer = observer, .ask = ask, .tell = tell};
    own->vfs.pNext = NULL;
    own->vfs.zName = kept;
    own->vfs.szOsFile = (int)sizeof(struct observed_file) + base->szOsFile;
    own->vfs.xOpen = vfs_open;
    own->vfs.xDelete = vfs_delete;
    own->vfs.xAccess = vfs_access;
    return sqlite3_vfs_register(&own->vfs, 0);
}
