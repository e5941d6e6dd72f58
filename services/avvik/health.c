/* health.c - what the daemons say of themselves; and the stepped clock's driver.
 *
 * The driver advances only when all daemons are quiet and every consumer stands at its producer's head: so
 * what a report sets off has run its course before time goes on, and the same script gives the same history.
 */
#include "health.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/status.h"

#define SETTLE_MS 30000
#define ANSWER_MS 3000

/* The reply to this very question: a daemon that was away may answer an earlier one now. */
static Avvik__V1__Reply *answer(struct av_client *client, uint64_t number, int64_t deadline_ms)
{
	char id[24];

	snprintf(id, sizeof id, "%llu", (unsigned long long)number);
	for (;;) {
		Avvik__V1__Reply *reply = NULL;
		int64_t left = deadline_ms - av_clock_monotonic_ms();
		if (av_client_receive(client, left > 0 ? (int)left : 0, &reply) != AV_OK)
			return NULL;
		if (strcmp(reply->message_id, id) == 0)
			return reply;
		tool_reply_free(&reply);
	}
}

void health_ask(struct tool *tool, struct health *ret_health)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetStatus query = AVVIK__V1__GET_STATUS__INIT;
	int64_t deadline_ms = av_clock_monotonic_ms() + ANSWER_MS;
	struct av_client *clients[DAEMON_COUNT];
	uint64_t numbers[DAEMON_COUNT];

	command.body_case = AVVIK__V1__COMMAND__BODY_GET_STATUS;
	command.get_status = &query;
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		clients[daemon] = tool_client(tool, (enum tool_daemon)daemon);
		if (clients[daemon] && av_client_send(clients[daemon], &command, &numbers[daemon]) != AV_OK)
			clients[daemon] = NULL;
	}
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++)
		ret_health->replies[daemon] =
			clients[daemon] ? answer(clients[daemon], numbers[daemon], deadline_ms) : NULL;
}

void health_free(struct health *health)
{
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++)
		tool_reply_free(&health->replies[daemon]);
}

static const Avvik__V1__StatusFound *producer_of(const struct health *health, const char *name)
{
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++)
		if (strcmp(daemon_names[daemon], name) == 0)
			return health_of(health, daemon);
	return NULL;
}

bool health_settled(const struct health *health)
{
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		const Avvik__V1__StatusFound *status = health_of(health, daemon);
		if (!status || !status->quiet)
			return false;
		for (size_t i = 0; i < status->n_feeds; i++) {
			const Avvik__V1__FeedStatus *feed = status->feeds[i];
			const Avvik__V1__StatusFound *producer = producer_of(health, feed->name);
			uint64_t reached = feed->cursor ? feed->cursor->sequence : 0;
			if (!feed->halted && producer && reached < producer->head)
				return false;
		}
	}
	return true;
}

static void sleep_ms(int ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
}

/* Twice in a row with the same heads: a look at four daemons is not one instant. */
int health_settle(struct tool *tool, int timeout_ms, int64_t *ret_next_due_ms)
{
	int64_t end = av_clock_monotonic_ms() + timeout_ms;
	uint64_t heads[DAEMON_COUNT] = {0};
	bool before = false;

	for (int wait = 1;; wait = AV_MIN(wait * 2, 20)) {
		struct health health;
		int64_t next = 0;
		bool away = false, same = true;
		health_ask(tool, &health);
		bool settled = health_settled(&health);
		for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
			const Avvik__V1__StatusFound *status = health_of(&health, daemon);
			away |= !status;
			if (!status)
				continue;
			same &= heads[daemon] == status->head;
			heads[daemon] = status->head;
			if (status->next_due_ms && (!next || status->next_due_ms < next))
				next = status->next_due_ms;
		}
		health_free(&health);
		if (away)
			return AV_CLOSED;
		if (settled && before && same) {
			*ret_next_due_ms = next;
			return AV_OK;
		}
		before = settled;
		if (av_clock_monotonic_ms() > end)
			return AV_TIMEOUT;
		if (!settled)
			sleep_ms(wait);
	}
}

int clock_run(struct tool *tool, int64_t until_ms, int pause_ms, int64_t *ret_steps)
{
	const char *path = tool_path(tool, "clock");
	int64_t now = tool_now_ms(tool), next = 0;
	int status;

	*ret_steps = 0;
	if (!path)
		return AV_INVALID;
	if (until_ms < now) {
		tool_fail(0, "the clock stands at %s and never goes back", tool_time(tool, now));
		return AV_INVALID;
	}
	for (;;) {
		status = health_settle(tool, SETTLE_MS, &next);
		if (status == AV_TIMEOUT)
			tool_fail(0, "the daemons do not come to rest: `avvik status` says what they are at");
		if (status == AV_CLOSED)
			tool_fail(0, "a daemon is away: `avvik status` says which; start it, or all with "
				     "`avvik up`");
		if (status < 0)
			return status;
		if (now >= until_ms)
			return AV_OK;
		int64_t to = next > now && next < until_ms ? next : until_ms;
		status = av_clock_step(path, to);
		if (status < 0) {
			tool_fail(0, "cannot move the clock %s: %s", path, av_status_text(status));
			return status;
		}
		now = to;
		++*ret_steps;
		if (pause_ms)
			sleep_ms(pause_ms);
	}
}
