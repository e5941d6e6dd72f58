/* attempts_store.h - what stands beside the journal: when a notice is tried, attempts under way, events that
 * wait.
 *
 * Record formats (integers big-endian; hex examples in attempts_store.c):
 *	schedule         at u64 ms, notice id 16 -> nothing: to be tried then
 *	notice_attempts  notice id 16 -> version u8 = 1, flags u8 (1: perhaps sent), outcome u8, attempts u32,
 *	                 next at u64
 *	underway         notice id 16 -> version u8 = 1, run u64, attempt u32, then the ids 16 of all notices
 *	                 of that mail
 *	waiting          case id 16, sequence u64, event id 16 -> packed Event of workflow's feed
 *	ready            case id 16 -> nothing: its waiting events may be looked at again
 *
 * Invariant: a notice that is neither delivered nor given up stands in `schedule` or `underway`, in just one
 * of them.
 */
#ifndef NOTIFICATION_ATTEMPTS_STORE_H
#define NOTIFICATION_ATTEMPTS_STORE_H

#include "notification_store.h"

#define DIGEST_MAX 50	/* notices in one mail */
#define UNDERWAY_MAX 64 /* mails at a time */
/* of which a server is sent so many: they are in doubt after a crash, and each is a connection */
#define UNDERWAY_SMTP 8
#define OPEN_PORTION 4096 /* open notices that one turn looks at when delivery begins */
#define RUN_COUNTER "run" /* grows with every start of the daemon: an attempt of an earlier run is over */

struct attempt {
	uint32_t attempts;
	int64_t next_at_ms; /* where it stands in the schedule; 0: it does not */
	int outcome;	    /* of the last, enum outcome */
	bool perhaps_sent;  /* an attempt ended without a clear answer */
};
int attempt_load(
	struct av_txn *txn, const struct av_id *notice_id, struct attempt *ret_attempt); /* AV_NOT_FOUND */

void notice_schedule(
	struct av_txn *txn, const struct av_id *notice_id, struct attempt *attempt, int64_t at_ms);
void notice_unschedule(struct av_txn *txn, const struct av_id *notice_id); /* forgets its attempts too */
/* The earliest in the schedule; 0: nothing. */
int64_t schedule_first(struct av_txn *txn);
/* The first that are due, at most max. */
size_t schedule_due(struct av_txn *txn, int64_t now_ms, struct av_id *ret_ids, size_t max);
bool schedule_holds(struct av_txn *txn, const struct av_id *notice_id, int64_t at_ms);

/* How far the open notices have been put in the schedule when a run begins: AV_NOT_FOUND when that is not under way. */
int schedule_came_to(struct av_txn *txn, struct av_bytes *ret_kept);
void schedule_keep(struct av_txn *txn, struct av_bytes came_to);
void schedule_arrived(struct av_txn *txn);

struct underway {
	struct av_id leader; /* whose Message-ID the mail has */
	uint64_t run;
	uint32_t attempt;		  /* of the leader */
	struct av_id members[DIGEST_MAX]; /* the leader first */
	size_t count;
};
void underway_begin(struct av_txn *txn, const struct underway *mail); /* its members leave the schedule */
int underway_load(struct av_txn *txn, const struct av_id *leader, struct underway *ret_mail);
void underway_end(struct av_txn *txn, const struct av_id *leader);
/* How many this run sends at a time, as it said when it started. */
size_t underway_most(struct av_txn *txn);
void underway_set_most(struct av_txn *txn, size_t most);
size_t underway_all(struct av_txn *txn, struct underway ret_mails[UNDERWAY_MAX]);

/* What waits is looked at again when something arrives that it may wait for, and every ten minutes. */
#define WAITING_LOOK_MS INT64_C(600000)
void waiting_add(struct av_txn *txn, struct av_bytes case_id, const Avvik__V1__Event *event,
	struct av_bytes packed, int64_t now_ms);
void waiting_look_again(struct av_txn *txn, struct av_arena *arena, int64_t now_ms); /* if it is time */
int64_t waiting_next_look(struct av_txn *txn);					     /* 0: nothing waits */
bool waiting_any(struct av_txn *txn, struct av_bytes case_id);
/* The case's first, unpacked into the arena. AV_NOT_FOUND. */
int waiting_first(
	struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena, Avvik__V1__Event **ret_event);
/* The case's first of a body number, likewise. */
int waiting_find(struct av_txn *txn, struct av_bytes case_id, unsigned int number, struct av_arena *arena,
	Avvik__V1__Event **ret_event);
void waiting_drop_first(struct av_txn *txn, struct av_bytes case_id);
/* Every case that waits becomes ready to be looked at; or just this one, if it waits. */
void waiting_ready_all(struct av_txn *txn, struct av_arena *arena);
void waiting_ready(struct av_txn *txn, struct av_bytes case_id);
size_t ready_some(struct av_txn *txn, struct av_id *ret_cases, size_t max);
void ready_drop(struct av_txn *txn, struct av_bytes case_id);
bool ready_any(struct av_txn *txn);

#endif
