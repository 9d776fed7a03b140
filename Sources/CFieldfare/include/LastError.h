// What the library keeps for fieldfare_last_error; not part of what it shows.
#ifndef CFIELDFARE_LAST_ERROR_H
#define CFIELDFARE_LAST_ERROR_H

// Keeps a copy for this thread, cut at 1,023 bytes; "" for no error.
void cfieldfare_set_last_error(const char *text);

#endif
