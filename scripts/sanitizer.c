// Linked into every program of a sanitizer's build by scripts/sanitize.sh, which says what OPTIONS are. Tests start programs with an
// environment of their own: there the options would get lost, and with them the reports.
#include <pthread.h>
#include <stdlib.h>

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return OPTIONS; }

const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return OPTIONS; }

static volatile int shared;

static void *count(void *unused) {
    shared++;
    return unused;
}

// A race, and a read of what was freed, where FIELDFARE_PLANTED is set: each sanitizer has to report one of them.
__attribute__((constructor)) static void plant(void) {
    if (!getenv("FIELDFARE_PLANTED")) return;
    pthread_t threads[2];
    for (int index = 0; index < 2; index++) pthread_create(&threads[index], NULL, count, NULL);
    for (int index = 0; index < 2; index++) pthread_join(threads[index], NULL);
    volatile char *bytes = malloc(1);
    free((void *)bytes);
    (void)*bytes;
}
