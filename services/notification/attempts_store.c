/* attempts_store.c - what stands beside the journal: when a notice is tried, attempts under way, events that
 * wait.
 *
 * An attempt that ended with outcome 5, the third, the next on 2026-04-07 09:05 UTC, and its place in the
 * schedule:
 *
 *	0198a1b2c3d6 7111 8222 000000000002 -> 01 00 05 00000003 0000019d672c8460
 *	0000019d672c8460 0198a1b2c3d6 7111 8222 000000000002 -> (nothing)
 *
 * A mail of one notice under way, in the second run, its fourth attempt:
 *
 *	0198a1b2c3d6 7111 8222 000000000002
 *		-> 01 0000000000000002 00000004 0198a1b2c3d6 7111 8222 000000000002
 */
#include "attempts_store.h"

#include <string.h>
#include "wire/message.h"

#define FORMAT 1
#define LOOK_COUNTER "waiting_look"
#define MOST_COUNTER "underway_most"
#define ATTEMPT_VALUE 15
#define UNDERWAY_HEAD 13
#define SCHEDULE_KEY (8 + AV_ID_SIZE)
#define WAITING_KEY (AV_ID_SIZE + 8 + AV_ID_SIZE)

static struct av_bytes nothing(void)
{
	return av_bytes("", 0);
}

/* --- schedule and attempts --- */

int attempt_load(struct av_txn *txn, const struct av_id *notice_id, struct attempt *ret_attempt)
{
	struct av_bytes value;
	int status = av_get(txn, TABLE_ATTEMPTS, id_bytes(notice_id), &value);
	if (status < 0)
		return status;
	const unsigned char *at = value.data;
	if (value.size != ATTEMPT_VALUE || at[0] != FORMAT)
		return AV_DAMAGED;
	ret_attempt->perhaps_sent = at[1] & 1;
	ret_attempt->outcome = at[2];
	ret_attempt->attempts = av_get_u32(at + 3);
	ret_attempt->next_at_ms = (int64_t)av_get_u64(at + 7);
	return AV_OK;
}

static void attempt_store(struct av_txn *txn, const struct av_id *notice_id, const struct attempt *attempt)
{
	unsigned char value[ATTEMPT_VALUE] = {FORMAT, attempt->perhaps_sent, (unsigned char)attempt->outcome};
	av_put_u32(value + 3, attempt->attempts);
	av_put_u64(value + 7, (uint64_t)attempt->next_at_ms);
	av_put(txn, TABLE_ATTEMPTS, id_bytes(notice_id), av_bytes(value, sizeof value));
}

static struct av_bytes schedule_key(
	unsigned char key[SCHEDULE_KEY], const struct av_id *notice_id, int64_t at_ms)
{
	av_put_u64(key, (uint64_t)at_ms);
	memcpy(key + 8, notice_id->bytes, AV_ID_SIZE);
	return av_bytes(key, SCHEDULE_KEY);
}

static void leave_schedule(struct av_txn *txn, const struct av_id *notice_id)
{
	unsigned char key[SCHEDULE_KEY];
	struct attempt attempt;
	if (attempt_load(txn, notice_id, &attempt) == AV_OK && attempt.next_at_ms)
		av_delete(txn, TABLE_SCHEDULE, schedule_key(key, notice_id, attempt.next_at_ms));
}

void notice_schedule(
	struct av_txn *txn, const struct av_id *notice_id, struct attempt *attempt, int64_t at_ms)
{
	unsigned char key[SCHEDULE_KEY];

	leave_schedule(txn, notice_id);
	attempt->next_at_ms = at_ms > 0 ? at_ms : 1;
	av_put(txn, TABLE_SCHEDULE, schedule_key(key, notice_id, attempt->next_at_ms), nothing());
	attempt_store(txn, notice_id, attempt);
}

void notice_unschedule(struct av_txn *txn, const struct av_id *notice_id)
{
	leave_schedule(txn, notice_id);
	av_delete(txn, TABLE_ATTEMPTS, id_bytes(notice_id));
}

int64_t schedule_first(struct av_txn *txn)
{
	struct av_iter it = av_iter(txn, TABLE_SCHEDULE, nothing(), nothing());
	int64_t at_ms =
		av_iter_next(&it) && it.key.size == SCHEDULE_KEY ? (int64_t)av_get_u64(it.key.data) : 0;
	av_iter_end(&it);
	return at_ms;
}

size_t schedule_due(struct av_txn *txn, int64_t now_ms, struct av_id *ret_ids, size_t max)
{
	struct av_iter it = av_iter(txn, TABLE_SCHEDULE, nothing(), nothing());
	size_t count = 0;

	while (count < max && av_iter_next(&it)) {
		if (it.key.size != SCHEDULE_KEY || (int64_t)av_get_u64(it.key.data) > now_ms)
			break;
		memcpy(ret_ids[count++].bytes, (const unsigned char *)it.key.data + 8, AV_ID_SIZE);
	}
	av_iter_end(&it);
	return count;
}

bool schedule_holds(struct av_txn *txn, const struct av_id *notice_id, int64_t at_ms)
{
	unsigned char key[SCHEDULE_KEY];
	struct av_bytes value;
	return at_ms && av_get(txn, TABLE_SCHEDULE, schedule_key(key, notice_id, at_ms), &value) == AV_OK;
}

/* --- under way --- */

void underway_begin(struct av_txn *txn, const struct underway *mail)
{
	for (size_t i = 0; i < mail->count; i++) {
		struct attempt attempt = {.attempts = 0};
		if (attempt_load(txn, &mail->members[i], &attempt) == AV_OK)
			leave_schedule(txn, &mail->members[i]);
		attempt.attempts++;
		attempt.next_at_ms = 0;
		attempt_store(txn, &mail->members[i], &attempt);
	}
	unsigned char *room = av_put_room(
		txn, TABLE_UNDERWAY, id_bytes(&mail->leader), UNDERWAY_HEAD + mail->count * AV_ID_SIZE);
	if (!room)
		return;
	room[0] = FORMAT;
	av_put_u64(room + 1, mail->run);
	av_put_u32(room + 9, mail->attempt);
	memcpy(room + UNDERWAY_HEAD, mail->members, mail->count * AV_ID_SIZE);
}

static int underway_read(struct av_bytes key, struct av_bytes value, struct underway *ret_mail)
{
	const unsigned char *at = value.data;
	size_t ids = value.size >= UNDERWAY_HEAD ? value.size - UNDERWAY_HEAD : 1;
	if (key.size != AV_ID_SIZE || ids % AV_ID_SIZE || ids / AV_ID_SIZE > DIGEST_MAX || at[0] != FORMAT)
		return AV_DAMAGED;
	memcpy(ret_mail->leader.bytes, key.data, AV_ID_SIZE);
	ret_mail->run = av_get_u64(at + 1);
	ret_mail->attempt = av_get_u32(at + 9);
	ret_mail->count = ids / AV_ID_SIZE;
	memcpy(ret_mail->members, at + UNDERWAY_HEAD, ids);
	return AV_OK;
}

int underway_load(struct av_txn *txn, const struct av_id *leader, struct underway *ret_mail)
{
	struct av_bytes value;
	int status = av_get(txn, TABLE_UNDERWAY, id_bytes(leader), &value);
	return status < 0 ? status : underway_read(id_bytes(leader), value, ret_mail);
}

#define CAME_TO av_bytes_of("schedule_came_to")

int schedule_came_to(struct av_txn *txn, struct av_bytes *ret_kept)
{
	return av_get(txn, AV_TABLE_META, CAME_TO, ret_kept);
}

void schedule_keep(struct av_txn *txn, struct av_bytes came_to)
{
	av_put(txn, AV_TABLE_META, CAME_TO, came_to);
}

void schedule_arrived(struct av_txn *txn)
{
	av_delete(txn, AV_TABLE_META, CAME_TO);
}

void underway_end(struct av_txn *txn, const struct av_id *leader)
{
	av_delete(txn, TABLE_UNDERWAY, id_bytes(leader));
}

size_t underway_most(struct av_txn *txn)
{
	uint64_t most = av_counter(txn, MOST_COUNTER);
	return most ? AV_MIN((size_t)most, (size_t)UNDERWAY_MAX) : UNDERWAY_SMTP;
}

void underway_set_most(struct av_txn *txn, size_t most)
{
	av_counter_set(txn, MOST_COUNTER, most);
}

size_t underway_all(struct av_txn *txn, struct underway ret_mails[UNDERWAY_MAX])
{
	struct av_iter it = av_iter(txn, TABLE_UNDERWAY, nothing(), nothing());
	size_t count = 0;

	while (count < UNDERWAY_MAX && av_iter_next(&it))
		if (underway_read(it.key, it.value, &ret_mails[count]) == AV_OK)
			count++;
	av_iter_end(&it);
	return count;
}

/* --- waiting --- */

void waiting_add(struct av_txn *txn, struct av_bytes case_id, const Avvik__V1__Event *event,
	struct av_bytes packed, int64_t now_ms)
{
	unsigned char key[WAITING_KEY] = {0};

	if (case_id.size != AV_ID_SIZE || event->event_id.len != AV_ID_SIZE) {
		av_txn_fail(txn, AV_INVALID);
		return;
	}
	memcpy(key, case_id.data, AV_ID_SIZE);
	av_put_u64(key + AV_ID_SIZE, event->sequence);
	memcpy(key + AV_ID_SIZE + 8, event->event_id.data, AV_ID_SIZE);
	if (waiting_next_look(txn) == 0)
		av_counter_set(txn, LOOK_COUNTER, (uint64_t)(now_ms + WAITING_LOOK_MS));
	av_put(txn, TABLE_WAITING, av_bytes(key, sizeof key), packed);
}

int64_t waiting_next_look(struct av_txn *txn)
{
	return av_table_count(txn, TABLE_WAITING) ? (int64_t)av_counter(txn, LOOK_COUNTER) : 0;
}

void waiting_look_again(struct av_txn *txn, struct av_arena *arena, int64_t now_ms)
{
	int64_t look_ms = waiting_next_look(txn);
	if (look_ms == 0 || look_ms > now_ms)
		return;
	waiting_ready_all(txn, arena);
	av_counter_set(txn, LOOK_COUNTER, (uint64_t)(now_ms + WAITING_LOOK_MS));
}

bool waiting_any(struct av_txn *txn, struct av_bytes case_id)
{
	if (case_id.size != AV_ID_SIZE)
		return false;
	struct av_iter it = av_iter(txn, TABLE_WAITING, case_id, nothing());
	bool any = av_iter_next(&it);
	av_iter_end(&it);
	return any;
}

int waiting_find(struct av_txn *txn, struct av_bytes case_id, unsigned int number, struct av_arena *arena,
	Avvik__V1__Event **ret_event)
{
	struct av_iter it = av_iter(txn, TABLE_WAITING, case_id, nothing());
	int status = AV_NOT_FOUND;
	while (status == AV_NOT_FOUND && av_iter_next(&it)) {
		Avvik__V1__Event *event;
		/* The message points into its arena, not into the record. */
		void *copy = av_arena_copy(arena, it.value.data, it.value.size);
		status = copy ? av_message_load(&avvik__v1__event__descriptor, av_bytes(copy, it.value.size),
					arena, (ProtobufCMessage **)&event)
			      : AV_MEMORY;
		if (status == AV_OK && number && (unsigned int)event->body_case != number)
			status = AV_NOT_FOUND;
		else if (status == AV_OK)
			*ret_event = event;
	}
	av_iter_end(&it);
	return status;
}

int waiting_first(
	struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena, Avvik__V1__Event **ret_event)
{
	return waiting_find(txn, case_id, 0, arena, ret_event);
}

void waiting_drop_first(struct av_txn *txn, struct av_bytes case_id)
{
	struct av_iter it = av_iter(txn, TABLE_WAITING, case_id, nothing());
	if (av_iter_next(&it))
		av_iter_delete(&it);
	av_iter_end(&it);
}

void waiting_ready(struct av_txn *txn, struct av_bytes case_id)
{
	if (waiting_any(txn, case_id))
		av_put(txn, TABLE_READY, case_id, nothing());
}

/* One entry a case, however many of its events wait. */
void waiting_ready_all(struct av_txn *txn, struct av_arena *arena)
{
	size_t total = av_table_count(txn, TABLE_WAITING), count = 0;
	struct av_id *cases = total ? av_arena_alloc(arena, total * sizeof *cases) : NULL;
	if (total && !cases)
		av_txn_fail(txn, AV_MEMORY);
	if (!cases)
		return;
	struct av_iter it = av_iter(txn, TABLE_WAITING, nothing(), nothing());
	while (count < total && av_iter_next(&it))
		if (count == 0 || memcmp(cases[count - 1].bytes, it.key.data, AV_ID_SIZE) != 0)
			memcpy(cases[count++].bytes, it.key.data, AV_ID_SIZE);
	av_iter_end(&it);
	for (size_t i = 0; i < count; i++)
		av_put(txn, TABLE_READY, id_bytes(&cases[i]), nothing());
}

size_t ready_some(struct av_txn *txn, struct av_id *ret_cases, size_t max)
{
	struct av_iter it = av_iter(txn, TABLE_READY, nothing(), nothing());
	size_t count = 0;
	while (count < max && av_iter_next(&it))
		if (it.key.size == AV_ID_SIZE)
			memcpy(ret_cases[count++].bytes, it.key.data, AV_ID_SIZE);
	av_iter_end(&it);
	return count;
}

void ready_drop(struct av_txn *txn, struct av_bytes case_id)
{
	av_delete(txn, TABLE_READY, case_id);
}

bool ready_any(struct av_txn *txn)
{
	struct av_id one;
	return ready_some(txn, &one, 1) > 0;
}
