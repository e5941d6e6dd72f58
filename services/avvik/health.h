/* health.h - what the daemons say of themselves, all four at once; and the stepped clock's driver. */
#ifndef AVVIK_HEALTH_H
#define AVVIK_HEALTH_H

#include "tool.h"

struct health {
	Avvik__V1__Reply *replies[DAEMON_COUNT]; /* NULL: away */
};

/* Asks all four at once; those that do not answer within three seconds are away, which is not told. */
void health_ask(struct tool *tool, struct health *ret_health);
void health_free(struct health *health);
static inline const Avvik__V1__StatusFound *health_of(const struct health *health, int daemon)
{
	const Avvik__V1__Reply *reply = health->replies[daemon];
	return reply && reply->body_case == AVVIK__V1__REPLY__BODY_STATUS_FOUND ? reply->status_found : NULL;
}
/* All are there, quiet, and every consumer has reached its producer's head: nothing happens until the clock
 * moves. */
bool health_settled(const struct health *health);
/* Waits until settled. AV_TIMEOUT after timeout_ms of real time (*ret_health, when not NULL, is the last
 * seen). */
int health_settle(struct tool *tool, int timeout_ms, int64_t *ret_next_due_ms);

/* Moves the stepped clock from due instant to due instant up to `until_ms`, waiting each time until all are
 * quiet. pause_ms: real time between steps, for the eye. Told on failure. */
int clock_run(struct tool *tool, int64_t until_ms, int pause_ms, int64_t *ret_steps);

#endif
