// Calls every function of fieldfare.h, well and badly, against a running agent: `socket slots configuration`.
#include <fieldfare.h>

#include <stdio.h>
#include <string.h>

static int asked, wrong;

static void expect(int holds, const char *what, int line) {
    asked++;
    if (holds) return;
    wrong++;
    fprintf(stderr, "line %d: %s; last error: %s\n", line, what, fieldfare_last_error());
}
#define EXPECT(condition) expect((condition) != 0, #condition, __LINE__)

static int says(const char *part) {
    return strstr(fieldfare_last_error(), part) != NULL;
}

static void nothing(void) {
    fieldfare_event event = FIELDFARE_EVENT_INIT;
    EXPECT(fieldfare_connect(NULL, 0, NULL) == FIELDFARE_CONFIGURATION && says("connection"));
    EXPECT(fieldfare_descriptor(NULL) == -1);
    EXPECT(fieldfare_lease_model(NULL, "x", NULL) == FIELDFARE_CONFIGURATION);
    EXPECT(fieldfare_lease_direct(NULL, NULL) == FIELDFARE_CONFIGURATION);
    EXPECT(strcmp(fieldfare_lease_path(NULL), "") == 0 && fieldfare_lease_deadline_s(NULL) == -1);
    EXPECT(fieldfare_acknowledge(NULL, NULL) == FIELDFARE_CONFIGURATION);
    EXPECT(fieldfare_record(NULL, "1.0.0", NULL, 1) == FIELDFARE_CONFIGURATION && says("turns"));
    EXPECT(fieldfare_watch(NULL) == FIELDFARE_CONFIGURATION && says("connection"));
    EXPECT(fieldfare_next_event(NULL, 0, &event) == FIELDFARE_CONFIGURATION);
    EXPECT(fieldfare_get_state(NULL, NULL) == FIELDFARE_CONFIGURATION);
    EXPECT(fieldfare_roll_back(NULL) == FIELDFARE_CONFIGURATION);
    EXPECT(fieldfare_agent_open(NULL, NULL) == FIELDFARE_CONFIGURATION);
    EXPECT(fieldfare_agent_run(NULL) == FIELDFARE_CONFIGURATION);
    fieldfare_lease_end(NULL);
    fieldfare_disconnect(NULL);
    fieldfare_agent_stop(NULL);
    fieldfare_agent_close(NULL);
}

static void model(fieldfare_connection *agent) {
    fieldfare_lease *lease = NULL;
    EXPECT(fieldfare_lease_model(agent, "every", &lease) == FIELDFARE_OK && lease != NULL);
    EXPECT(strcmp(fieldfare_last_error(), "") == 0);
    EXPECT(strcmp(fieldfare_lease_version(lease), "1.1.0") == 0);
    EXPECT(strcmp(fieldfare_lease_slot(lease), "b") == 0);
    EXPECT(strlen(fieldfare_lease_manifest_sha256(lease)) == 64 && fieldfare_lease_deadline_s(lease) == 3600);
    EXPECT(fieldfare_acknowledge(agent, lease) == FIELDFARE_OK);
    fieldfare_turn turns[100];
    for (int index = 0; index < 100; index++) turns[index] = (fieldfare_turn)FIELDFARE_TURN_INIT;
    turns[0].latency_us = 412000;
    turns[0].flags = FIELDFARE_TURN_ESCALATED | FIELDFARE_TURN_RETRIED;
    turns[0].words = 4;
    turns[0].locale = "en-GB";
    EXPECT(fieldfare_record(agent, "1.1.0", turns, 100) == FIELDFARE_OK);
    turns[1].confidence = 1001;
    EXPECT(fieldfare_record(agent, "1.1.0", turns, 2) == FIELDFARE_CONFIGURATION && says("confidence"));
    turns[1].size = 8;
    EXPECT(fieldfare_record(agent, "1.1.0", turns, 2) == FIELDFARE_CONFIGURATION && says("got 8"));
    fieldfare_lease_end(lease);
}

static void events(fieldfare_connection *agent) {
    fieldfare_event event = FIELDFARE_EVENT_INIT;
    EXPECT(fieldfare_descriptor(agent) >= 0);
    EXPECT(fieldfare_watch(agent) == FIELDFARE_OK);
    EXPECT(fieldfare_next_event(agent, 10000, &event) == FIELDFARE_OK && event.kind == FIELDFARE_EVENT_MODEL);
    EXPECT(event.version != NULL && strcmp(event.version, "1.1.0") == 0 && event.within_s == -1);
    EXPECT(fieldfare_next_event(agent, 10000, &event) == FIELDFARE_OK && event.kind == FIELDFARE_EVENT_STATE);
    EXPECT(event.state != NULL && event.version == NULL);
    event.size = 1;
    EXPECT(fieldfare_next_event(agent, 0, &event) == FIELDFARE_CONFIGURATION);
}

static void state(fieldfare_connection *agent) {
    fieldfare_state state = FIELDFARE_STATE_INIT;
    EXPECT(fieldfare_hold(agent) == FIELDFARE_OK && fieldfare_get_state(agent, &state) == FIELDFARE_OK);
    EXPECT(state.flags == FIELDFARE_STATE_HELD && strcmp(state.model, "commands-en") == 0);
    EXPECT(strcmp(state.active_version, "1.1.0") == 0 && strcmp(state.serving_version, "1.1.0") == 0);
    EXPECT(state.attempted_version == NULL);
    EXPECT(fieldfare_unhold(agent) == FIELDFARE_OK);
}

int main(int count, char **words) {
    if (count != 4) return 2;
    fieldfare_connection *agent = NULL;
    fieldfare_lease *lease = NULL;
    fieldfare_agent *own = NULL;
    nothing();
    EXPECT(fieldfare_connect("/nowhere", 1000, &agent) == FIELDFARE_UNREACHABLE && says("hint: ") && agent == NULL);
    EXPECT(fieldfare_connect(words[1], 10000, &agent) == FIELDFARE_OK);
    model(agent);
    events(agent);
    state(agent);
    fieldfare_disconnect(agent);
    EXPECT(fieldfare_lease_direct("/nowhere", &lease) == FIELDFARE_FAILED && says("/nowhere"));
    EXPECT(fieldfare_lease_direct(words[2], &lease) == FIELDFARE_OK && fieldfare_lease_deadline_s(lease) == -1);
    fieldfare_lease_end(lease);
    EXPECT(fieldfare_agent_open(words[3], &own) == FIELDFARE_OK);
    EXPECT(fieldfare_agent_run(own) == FIELDFARE_BUSY && says("another agent"));
    fieldfare_agent_stop(own);
    fieldfare_agent_close(own);
    printf("%d of %d as expected\n", asked - wrong, asked);
    return wrong == 0 ? 0 : 1;
}
