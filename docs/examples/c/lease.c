// A voice application in short: leases the model, uses its files, tells of a turn, and follows the agent to another model.
//
//     cc -std=c11 lease.c -lfieldfare -o lease
//     ./lease /run/fieldfare-agent/agent.sock /var/lib/fieldfare-agent/slots
//
// Where no agent answers, it leases from the folder of the slots, which is what keeps an application with a model while
// the agent is updated.
#include <fieldfare.h>

#include <stdio.h>
#include <string.h>

static int failed(const char *what, fieldfare_code code) {
    fprintf(stderr, "%s: %s\n", what, fieldfare_last_error());
    return (int)code;
}

// Where a real application loads its recogniser.
static int load(const fieldfare_lease *lease) {
    char path[4096];
    snprintf(path, sizeof path, "%s/tokens.txt", fieldfare_lease_path(lease));
    FILE *file = fopen(path, "rb");
    if (file == NULL) return 0;
    fclose(file);
    printf("loaded %s from slot %s\n", fieldfare_lease_version(lease), fieldfare_lease_slot(lease));
    fflush(stdout);
    return 1;
}

// Leases what is active, loads it, says so, and only then lets go of what was leased before.
static fieldfare_code follow(fieldfare_connection *agent, fieldfare_lease **held) {
    fieldfare_lease *lease;
    fieldfare_code code = fieldfare_lease_model(agent, "example", &lease);
    if (code != FIELDFARE_OK) return code;
    if (!load(lease)) {
        fieldfare_lease_end(lease);
        return FIELDFARE_FAILED;
    }
    code = fieldfare_acknowledge(agent, lease);
    fieldfare_lease_end(*held);
    *held = lease;
    return code;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    fieldfare_connection *agent;
    fieldfare_lease *held = NULL;
    fieldfare_code code = fieldfare_connect(words[1], 10000, &agent);
    if (code != FIELDFARE_OK) {
        fprintf(stderr, "connect: %s\n", fieldfare_last_error());
        code = fieldfare_lease_direct(words[2], &held);
        if (code == FIELDFARE_CLOUD_ONLY) printf("no model: the cloud is asked\n");
        if (code == FIELDFARE_FAILED) return failed("lease", code);
        if (code == FIELDFARE_OK && !load(held)) code = FIELDFARE_FAILED;
        fieldfare_lease_end(held);
        return (int)code;
    }
    code = fieldfare_watch(agent);
    while (code == FIELDFARE_OK) {
        fieldfare_event event = FIELDFARE_EVENT_INIT;
        code = fieldfare_next_event(agent, 60000, &event);
        if (code != FIELDFARE_OK) break;
        if (event.kind == FIELDFARE_EVENT_MODEL && event.version == NULL) {
            printf("no model: the cloud is asked\n");
            break;
        }
        if (event.kind != FIELDFARE_EVENT_MODEL || strcmp(event.version, fieldfare_lease_version(held)) == 0)
            continue;
        code = follow(agent, &held);
        if (code != FIELDFARE_OK) break;
        fieldfare_turn turn = FIELDFARE_TURN_INIT;
        turn.latency_us = 412000;
        turn.cpu_us = 15300;
        turn.confidence = 921;
        code = fieldfare_record(agent, fieldfare_lease_version(held), &turn, 1);
    }
    int result = code == FIELDFARE_OK || code == FIELDFARE_NOTHING ? 0 : failed("agent", code);
    fieldfare_lease_end(held);
    fieldfare_disconnect(agent);
    return result;
}
