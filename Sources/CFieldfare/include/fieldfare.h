// Fieldfare for C: the agent of a device, and what an application asks of it.
//
// An application connects to the agent's socket, leases the model, uses its files while it holds the lease, acknowledges
// what it serves, records turns, and waits for events. docs/examples/c/lease.c is such an application in short.
//
// - Handles are made by a function and ended by another one; each belongs to one thread at a time. NULL is taken
//   everywhere, and is an error or does nothing. A handle that has been ended must not be used again.
// - Text is UTF-8 with a zero at the end. What a function returns or fills in belongs to the handle, until the moment that
//   is named there; the caller frees nothing.
// - Functions that can fail return a code, and fieldfare_last_error() then has a sentence for people. Nothing is printed,
//   and nothing is thrown.
// - Structs begin with their size, which the FIELDFARE_*_INIT values set: later versions of the library may know more fields.
#ifndef FIELDFARE_H
#define FIELDFARE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fieldfare_agent fieldfare_agent;
typedef struct fieldfare_connection fieldfare_connection;
typedef struct fieldfare_lease fieldfare_lease;

// How a call ended; the numbers are also those that `fieldfare-agent` exits with, from 20 on they are no failures.
typedef enum {
    FIELDFARE_OK = 0,
    // What the sentence says, most often of the disk.
    FIELDFARE_FAILED = 1,
    // The configuration or an argument is wrong.
    FIELDFARE_CONFIGURATION = 2,
    // The agent or the registry refused, or the order is not for this user.
    FIELDFARE_REFUSED = 10,
    // Another agent uses the state directory or the socket.
    FIELDFARE_BUSY = 11,
    // Nobody answers. A connection is of no more use then: end it, and make another one.
    FIELDFARE_UNREACHABLE = 12,
    // The device has no usable model: the application is on its own, or uses the cloud.
    FIELDFARE_CLOUD_ONLY = 20,
    // No event came in time.
    FIELDFARE_NOTHING = 21
} fieldfare_code;

// The library's version, such as "0.1.0"; for ever.
const char *fieldfare_version(void);
// Why the last call of this thread failed, with what can be done about it on a line of its own where there is something;
// "" where it did not fail. Until the thread's next call.
const char *fieldfare_last_error(void);

// The connection of an application

// Connects to a running agent: `socket` is /run/fieldfare-agent/agent.sock where its configuration names no other;
// `timeout_ms` bounds each answer. Blocks for as long at most. Ended by fieldfare_disconnect.
fieldfare_code fieldfare_connect(const char *socket, int timeout_ms, fieldfare_connection **connection);
// Ends a connection; its leases go on.
void fieldfare_disconnect(fieldfare_connection *connection);
// To be polled for reading, beside other descriptors, before fieldfare_next_event; -1 for NULL.
int fieldfare_descriptor(const fieldfare_connection *connection);

// Leases

// Leases the active model for the application of this name, which is at most 64 bytes and stays the same over restarts.
// FIELDFARE_CLOUD_ONLY where there is none. Until fieldfare_lease_end nobody touches the model's files, also where the
// connection or the agent ends before.
fieldfare_code fieldfare_lease_model(
    fieldfare_connection *connection, const char *application, fieldfare_lease **lease);
// Leases without an agent, while it is updated or cannot start: `slots_folder` is the folder `slots` of its state
// directory, which the caller's user needs to read. Nothing is written.
fieldfare_code fieldfare_lease_direct(const char *slots_folder, fieldfare_lease **lease);
// Lets go of the model. Load the new one and acknowledge it before.
void fieldfare_lease_end(fieldfare_lease *lease);
// The absolute folder of the bundle: `manifest.json`, and every file at its path beside it. These texts live as long as the
// lease, and are "" for NULL.
const char *fieldfare_lease_path(const fieldfare_lease *lease);
const char *fieldfare_lease_version(const fieldfare_lease *lease);
// "a" or "b".
const char *fieldfare_lease_slot(const fieldfare_lease *lease);
// 64 hexadecimal digits.
const char *fieldfare_lease_manifest_sha256(const fieldfare_lease *lease);
// Seconds in which to let go once another version is active; -1 for a direct lease, and for NULL.
int64_t fieldfare_lease_deadline_s(const fieldfare_lease *lease);

// Says that the application serves this lease's model from now on: the one that was taken last on this connection.
fieldfare_code fieldfare_acknowledge(fieldfare_connection *connection, const fieldfare_lease *lease);

// Turns

enum {
    FIELDFARE_TURN_ESCALATED = 1,     // given to the cloud
    FIELDFARE_TURN_ERROR = 2,         // failed
    FIELDFARE_TURN_FALSE_ACCEPT = 4,  // heard what nobody said
    FIELDFARE_TURN_ABANDONED = 8,     // the user gave up
    FIELDFARE_TURN_RETRIED = 16       // the user said it again
};

// One thing that a user said, and how the model did: counts and times, never words. -1 is what is not known.
typedef struct {
    uint32_t size;        // sizeof(fieldfare_turn)
    uint32_t flags;       // FIELDFARE_TURN_*
    int64_t latency_us;   // wall time as the user felt it
    int64_t cpu_us;       // of the process
    int64_t memory_kib;   // of the model's process, or the most that it has held with this version
    int32_t confidence;   // in thousandths: 0 to 1000
    int32_t words;        // words of a turn whose words the application knows
    int32_t word_errors;  // and the errors in them
    int32_t reserved;     // 0
    const char *locale;   // such as "en-GB", where it is not the device's; else NULL
} fieldfare_turn;
#define FIELDFARE_TURN_INIT {sizeof(fieldfare_turn), 0, -1, -1, -1, -1, -1, 0, 0, NULL}

// Records turns that this version has answered, the oldest first. Where a turn makes a new version fall, this returns after
// the device has gone back.
fieldfare_code fieldfare_record(
    fieldfare_connection *connection, const char *version, const fieldfare_turn *turns, size_t count);

// Events

typedef enum {
    // `version` is active now, NULL where there is no usable model: lease it, load it, acknowledge it, and end the lease
    // before. The first comes at once.
    FIELDFARE_EVENT_MODEL = 1,
    // The agent is at `state`: "idle", "downloading" and so on. The newest counts.
    FIELDFARE_EVENT_STATE = 2,
    // `slot` is still leased, is no longer active, and has to be let go of within `within_s` seconds.
    FIELDFARE_EVENT_RELEASE = 3
} fieldfare_event_kind;

// The texts are NULL where the kind has none, and live until the connection's next event or its end.
typedef struct {
    uint32_t size;     // sizeof(fieldfare_event)
    uint32_t kind;     // FIELDFARE_EVENT_*
    int64_t within_s;  // -1 where the kind has none
    const char *version;
    const char *state;
    const char *slot;
} fieldfare_event;
#define FIELDFARE_EVENT_INIT {sizeof(fieldfare_event), 0, -1, NULL, NULL, NULL}

// Asks for events: what is active comes at once, then the state, then what is to be let go of.
fieldfare_code fieldfare_watch(fieldfare_connection *connection);
// The oldest event that was not returned yet. Waits for `wait_ms` at most, 0 looks only; FIELDFARE_NOTHING where none came.
fieldfare_code fieldfare_next_event(
    fieldfare_connection *connection, int wait_ms, fieldfare_event *event);

// State and orders

enum {
    FIELDFARE_STATE_CLOUD_ONLY = 1,  // there is no usable model
    FIELDFARE_STATE_HELD = 2,        // no new version is taken, by order
    FIELDFARE_STATE_ENROLLED = 4     // the registry knows the device
};

// The texts live until the connection's next fieldfare_get_state or its end; NULL where there is no such version.
typedef struct {
    uint32_t size;   // sizeof(fieldfare_state)
    uint32_t flags;  // FIELDFARE_STATE_*
    const char *name;  // what the agent is at
    const char *device;  // 32 hexadecimal digits
    const char *model;
    const char *channel;
    const char *active_version;
    const char *serving_version;  // acknowledged last
    const char *attempted_version;  // on its way
} fieldfare_state;
#define FIELDFARE_STATE_INIT {sizeof(fieldfare_state), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL}

fieldfare_code fieldfare_get_state(fieldfare_connection *connection, fieldfare_state *state);
// Orders are for root and for the agent's own user. Goes back to the version before, and stays off this one.
fieldfare_code fieldfare_roll_back(fieldfare_connection *connection);
// Takes no new version, until unhold, which also ends what fieldfare_roll_back forbade.
fieldfare_code fieldfare_hold(fieldfare_connection *connection);
fieldfare_code fieldfare_unhold(fieldfare_connection *connection);

// An agent inside this process; applications in it connect to its socket as others do

// Reads a configuration file and its drop-ins; touches nothing else. Ended by fieldfare_agent_close.
fieldfare_code fieldfare_agent_open(const char *configuration, fieldfare_agent **agent);
// Runs on the calling thread until fieldfare_agent_stop; once. It logs to standard error.
fieldfare_code fieldfare_agent_run(fieldfare_agent *agent);
// Makes fieldfare_agent_run return within a second or so; from any thread, and from a signal handler.
void fieldfare_agent_stop(fieldfare_agent *agent);
// Ends the handle, after fieldfare_agent_run has returned.
void fieldfare_agent_close(fieldfare_agent *agent);

#ifdef __cplusplus
}
#endif

#endif
