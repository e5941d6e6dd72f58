/* daemon.c - plays rows of steps to one daemon, from the same world each time; see daemon.h */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "image.h"
#include "libfuzzer.h"
#include "mutate.h"
#include "wire/yaml.h"

#define NOW "2026-04-07 09:00"
#define TURN_MAX 16
#define MINUTES_MAX (60u * 24 * 400)
#define ROUNDS_MAX 2000
#define TEXT(text) ((char *)(uintptr_t)(text))
#define REPLY(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name
#define COMMAND(name) AVVIK__V1__COMMAND__BODY_##name
#define PATH(name) SOURCE_DIR "/" name

static const char *const feed_names[] = {"intake", "workflow", "notification"};

static struct {
	struct harness *h;
	struct image *image;
	struct harness_producer producers[HARNESS_FEEDS];
	struct av_arena *settings_arena, *arena; /* h->arena when the world was made; of the input */
	struct av_principal principals[5];
	/* Of the input: what its later steps may refer to. */
	struct av_id case_id, content_id, measure_id;
	Avvik__V1__Grant *grant;
	Avvik__V1__Receipt *receipt;
	uint64_t seen; /* journal entries that have been looked at */
	bool damaged, dirty, telling, looking;
	struct step look[STEPS_MAX];
	size_t look_count;
	struct av_arena *look_arena;
} fuzz;

#define MUST(holds, ...)                              \
	do {                                          \
		if (!(holds)) {                       \
			fprintf(stderr, __VA_ARGS__); \
			fputc('\n', stderr);          \
			abort();                      \
		}                                     \
	} while (0)

/* What each command was answered, when AVVIK_FUZZ_TELL is set: to see what a row of steps does. */
static void tell(const Avvik__V1__Reply *reply)
{
	if (!fuzz.telling)
		return;
	fprintf(stderr, "  %s%s: %s\n", av_enum_name(&avvik__v1__reply_status__descriptor, reply->status),
		reply->repeated ? " (repeated)" : "", reply->text);
	for (size_t i = 0; i < reply->n_faults; i++)
		fprintf(stderr, "    %s: %s\n", reply->faults[i]->path, reply->faults[i]->text);
}

static const struct av_principal *principal_of(const struct step *step)
{
	return step->who < AV_COUNT(fuzz.principals) ? &fuzz.principals[step->who] : NULL;
}

/* --- following: what a sender knows from what came before --- */

/* The ids of the newest events are known to the mutator and to later steps. */
static void look_at_events(void)
{
	struct av_txn *txn = harness_read(fuzz.h);
	struct av_bytes packed;
	while (av_journal_read(txn, fuzz.seen + 1, &packed, NULL) == AV_OK) {
		ProtobufCMessage *message;
		fuzz.seen++;
		if (av_message_load(&avvik__v1__event__descriptor, packed, fuzz.h->arena, &message) != AV_OK)
			continue;
		const Avvik__V1__Event *event = (const Avvik__V1__Event *)message;
		mutate_remember(message);
		if (event->case_id.len == AV_ID_SIZE)
			memcpy(fuzz.case_id.bytes, event->case_id.data, AV_ID_SIZE);
		if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED && event->report_filed->content &&
			event->report_filed->content->content_id.len == AV_ID_SIZE)
			memcpy(fuzz.content_id.bytes, event->report_filed->content->content_id.data,
				AV_ID_SIZE);
	}
	av_txn_abort(&txn);
}

/* Of the grants of a reply the one that this daemon opens content for. */
static Avvik__V1__Grant *grant_here(const Avvik__V1__GrantIssued *issued)
{
	for (size_t i = 0; i < issued->n_grants; i++) {
		ProtobufCMessage *message;
		Avvik__V1__Grant *grant = issued->grants[i];
		if (av_message_load(&avvik__v1__grant_body__descriptor,
			    av_bytes(grant->body.data, grant->body.len), fuzz.h->arena, &message) != AV_OK)
			continue;
		const Avvik__V1__GrantBody *body = (const Avvik__V1__GrantBody *)message;
		mutate_remember(message);
		if (body->n_items > 0 && strcmp(body->items[0]->holder, fuzz.h->service->name) == 0)
			return grant;
	}
	return NULL;
}

static void note_reply(const Avvik__V1__Reply *reply)
{
	if (!fuzz.looking)
		mutate_remember(&reply->base);
	if (reply->body_case == AVVIK__V1__REPLY__BODY_GRANT_ISSUED)
		fuzz.grant = grant_here(reply->grant_issued);
	if (fuzz.telling && reply->body_case == AVVIK__V1__REPLY__BODY_QUARANTINE_FOUND)
		for (size_t i = 0; i < reply->quarantine_found->n_items; i++)
			fprintf(stderr, "    %s: %s\n", reply->quarantine_found->items[i]->event,
				reply->quarantine_found->items[i]->cause);
	if (reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED && reply->report_accepted->receipt)
		fuzz.receipt = reply->report_accepted->receipt;
	if (reply->body_case == AVVIK__V1__REPLY__BODY_ACT_ACCEPTED &&
		reply->act_accepted->measure_id.len == AV_ID_SIZE)
		memcpy(fuzz.measure_id.bytes, reply->act_accepted->measure_id.data, AV_ID_SIZE);
}

static ProtobufCBinaryData data_of(struct av_id *id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, av_arena_copy(fuzz.h->arena, id->bytes, AV_ID_SIZE)};
}

/* An id that the row of steps cannot know: none, or all zero. */
static bool unknown(ProtobufCBinaryData id)
{
	static const unsigned char zero[AV_ID_SIZE];
	return id.len == 0 || (id.len == AV_ID_SIZE && memcmp(id.data, zero, AV_ID_SIZE) == 0);
}

static void follow_case(Avvik__V1__ActOnCase *act)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	if (unknown(act->case_id))
		act->case_id = data_of(&fuzz.case_id);
	get.case_id = act->case_id;
	const Avvik__V1__Reply *reply =
		harness_order(fuzz.h, &fuzz.principals[0], NULL, NULL, COMMAND(GET_CASE), &get.base);
	if (reply->status == REPLY(DONE))
		act->version_seen = reply->case_found->case_->version;
	if (act->act_case == AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE &&
		unknown(act->execute_measure->measure_id))
		act->execute_measure->measure_id = data_of(&fuzz.measure_id);
	if (act->act_case == AVVIK__V1__ACT_ON_CASE__ACT_EVALUATE_MEASURE &&
		unknown(act->evaluate_measure->measure_id))
		act->evaluate_measure->measure_id = data_of(&fuzz.measure_id);
}

/* The last grant that was given, or one that workflow could have signed. */
static void follow_grant(
	Avvik__V1__OpenContent *open, const Avvik__V1__Command *command, const struct av_principal *principal)
{
	ProtobufCMessage *message;
	struct harness *h = fuzz.h;
	if (!open->grant || !principal ||
		av_message_load(&avvik__v1__grant_body__descriptor,
			av_bytes(open->grant->body.data, open->grant->body.len), h->arena, &message) != AV_OK)
		return;
	Avvik__V1__GrantBody *body = (Avvik__V1__GrantBody *)message;
	if (fuzz.grant && body->n_items == 0) {
		open->grant = fuzz.grant;
		return;
	}
	if (unknown(body->case_id))
		body->case_id = data_of(&fuzz.case_id);
	for (size_t i = 0; i < body->n_items; i++)
		if (unknown(body->items[i]->content_id))
			body->items[i]->content_id = data_of(&fuzz.content_id);
	body->principal = TEXT(principal->name);
	body->person = command->on_behalf_of;
	body->instance = h->settings.instance;
	body->expires_at_ms = h->now_ms + 60000;
	struct av_bytes packed = av_message_pack(message, h->arena);
	unsigned char *signature = av_arena_alloc(h->arena, AV_SIGNATURE_SIZE);
	av_sign(h->grant_secret, "avvik grant v1", packed, signature);
	open->grant->body = (ProtobufCBinaryData){packed.size, (uint8_t *)(uintptr_t)packed.data};
	open->grant->signature = (ProtobufCBinaryData){AV_SIGNATURE_SIZE, signature};
}

static bool receipt_empty(const Avvik__V1__VerifyReceipt *verify)
{
	return !verify->receipt || !verify->receipt->leaf || unknown(verify->receipt->leaf->report_id);
}

static struct av_bytes followed(const struct step *step)
{
	struct harness *h = fuzz.h;
	ProtobufCMessage *message;
	if (!step->follow ||
		av_message_load(&avvik__v1__command__descriptor, step->body, h->arena, &message) != AV_OK)
		return step->body;
	Avvik__V1__Command *command = (Avvik__V1__Command *)message;
	if (command->body_case == COMMAND(ACT_ON_CASE) && strcmp(h->service->name, "workflow") == 0)
		follow_case(command->act_on_case);
	else if (command->body_case == COMMAND(OPEN_CONTENT))
		follow_grant(command->open_content, command, principal_of(step));
	else if (command->body_case == COMMAND(SUPPLEMENT_REPORT) &&
		 unknown(command->supplement_report->report_id))
		command->supplement_report->report_id = data_of(&fuzz.case_id);
	else if (command->body_case == COMMAND(VERIFY_RECEIPT) && fuzz.receipt &&
		 receipt_empty(command->verify_receipt))
		command->verify_receipt->receipt = fuzz.receipt;
	else
		return step->body;
	return av_message_pack(message, h->arena);
}

/* --- commands --- */

static const Avvik__V1__Reply *reply_of(const struct av_item *item)
{
	ProtobufCMessage *message;
	MUST(item->reply.data, "a command has no reply");
	struct av_bytes copy =
		av_bytes(av_arena_copy(fuzz.h->arena, item->reply.data, item->reply.size), item->reply.size);
	MUST(av_message_load(&avvik__v1__reply__descriptor, copy, fuzz.h->arena, &message) == AV_OK,
		"a reply cannot be read");
	return (const Avvik__V1__Reply *)message;
}

static const struct av_command_row *row_of(struct av_bytes wire)
{
	const struct av_command_row *row = NULL;
	return av_command_peek(fuzz.h->service, wire, &row) == AV_OK ? row : NULL;
}

static const Avvik__V1__Reply *check_reply(const struct av_item *item)
{
	const Avvik__V1__Reply *reply = reply_of(item);
	tell(reply);
	MUST(reply->status != REPLY(UNSPECIFIED), "a reply has no status");
	MUST(reply->status != REPLY(FAILED), "a command failed: %s (%s)", reply->text,
		fuzz.h->result.failed_text ? fuzz.h->result.failed_text : "");
	MUST(reply->status != REPLY(FULL), "a command found the store full: %s", reply->text);
	return reply;
}

/* Sent again it is known, and does nothing. */
static void check_again(const struct av_item *first)
{
	struct av_item again = *first;
	const struct av_command_row *row = row_of(first->wire);
	uint64_t head = harness_head(fuzz.h);
	if (!row || row->kind != AV_ORDER)
		return;
	MUST(harness_run(fuzz.h, &again, 1) == AV_OK, "a repetition fails the turn");
	const Avvik__V1__Reply *reply = check_reply(&again);
	MUST(reply->status == REPLY(DONE) && reply->repeated, "a repetition is not known as one: %d %s",
		(int)reply->status, reply->text);
	MUST(harness_head(fuzz.h) == head, "a repetition changed something");
}

static void run_turn(struct av_item *items, size_t count)
{
	struct harness *h = fuzz.h;
	uint64_t head = fuzz.damaged ? 0 : harness_head(h);
	bool done = false;
	int status = harness_run(h, items, count);
	fuzz.dirty = true;
	if (fuzz.damaged)
		return;
	MUST(status == AV_OK, "a turn of commands failed: %s", av_status_name(status));
	for (size_t i = 0; i < count; i++) {
		const Avvik__V1__Reply *reply = check_reply(&items[i]);
		done |= reply->status == REPLY(DONE) && !reply->repeated;
		note_reply(reply);
	}
	MUST(done || harness_head(h) == head, "a turn of refusals wrote to the journal");
	look_at_events();
	for (size_t i = 0; i < count; i++)
		if (reply_of(&items[i])->status == REPLY(DONE))
			check_again(&items[i]);
}

static void run_query(const struct step *step, struct av_bytes wire)
{
	struct av_item item = {0};
	const Avvik__V1__Reply *reply = harness_wire(fuzz.h, principal_of(step), wire);
	if (fuzz.damaged)
		return;
	item.reply = av_message_pack(&reply->base, fuzz.h->arena);
	note_reply(check_reply(&item));
}

/* Commands that are joined go in one turn. Answers how many steps were taken. */
static size_t run_commands(const struct step *steps, size_t count)
{
	struct av_item items[TURN_MAX];
	size_t in_turn = 0, taken = 0;
	for (bool more = true;
		more && taken < count && steps[taken].kind == STEP_COMMAND && in_turn < TURN_MAX; taken++) {
		const struct step *step = &steps[taken];
		struct av_bytes wire = followed(step);
		const struct av_command_row *row = row_of(wire);
		more = step->joined;
		if (row && row->kind == AV_QUERY) {
			run_query(step, wire);
		} else {
			items[in_turn] = (struct av_item){.kind = AV_ITEM_COMMAND,
				.arrived_at_ms = fuzz.h->now_ms,
				.order = in_turn,
				.wire = wire,
				.principal = principal_of(step)};
			in_turn++;
		}
	}
	if (in_turn > 0)
		run_turn(items, in_turn);
	return taken;
}

/* --- feeds --- */

static struct av_cursor cursor_of(const char *feed)
{
	struct av_cursor cursor = {.position.sequence = 0};
	struct av_txn *txn = harness_read(fuzz.h);
	(void)av_cursor_load(txn, feed, &cursor); /* not found: from the start, ignoring */
	av_txn_abort(&txn);
	return cursor;
}

/* As the producer of this feed would send them now: in order, behind what was sent before. */
static void follow_batch(Avvik__V1__FeedBatch *batch, struct harness_producer *producer)
{
	Avvik__V1__Cursor *reached = batch->reached;
	if (!reached) {
		reached = av_arena_alloc(fuzz.h->arena, sizeof *reached);
		avvik__v1__cursor__init(reached);
		batch->reached = reached;
	}
	for (size_t i = 0; i < batch->n_items; i++) {
		struct av_bytes pieces[] = {av_bytes(producer->hash, AV_CHAIN_SIZE),
			av_bytes(batch->items[i]->event.data, batch->items[i]->event.len)};
		producer->sequence += 1 + (batch->items[i]->sequence >> 8) % 3; /* some are passed over */
		batch->items[i]->sequence = producer->sequence;
		av_hash_pieces(pieces, 2, producer->hash);
	}
	if (batch->moved_epoch)
		producer->epoch.bytes[0]++; /* restored, and it still holds what was seen */
	reached->epoch_id = data_of(&producer->epoch);
	reached->sequence = batch->head = producer->sequence;
	reached->chain_hash = (ProtobufCBinaryData){
		AV_CHAIN_SIZE, av_arena_copy(fuzz.h->arena, producer->hash, AV_CHAIN_SIZE)};
}

/* What the reader of a feed lets through. */
static bool plausible(const Avvik__V1__FeedBatch *batch, uint64_t after)
{
	const Avvik__V1__Cursor *reached = batch->reached;
	uint64_t last = after;
	if (!reached || reached->epoch_id.len != AV_ID_SIZE || reached->chain_hash.len != AV_CHAIN_SIZE ||
		reached->sequence < after)
		return false;
	for (size_t i = 0; i < batch->n_items; i++) {
		if (batch->items[i]->sequence <= last || batch->items[i]->sequence > reached->sequence)
			return false;
		last = batch->items[i]->sequence;
	}
	return true;
}

static int deliver(const char *feed, const Avvik__V1__FeedBatch *batch, uint64_t after)
{
	struct av_item item = {.kind = AV_ITEM_FEED,
		.arrived_at_ms = fuzz.h->now_ms,
		.feed = feed,
		.batch = batch,
		.after = after};
	int status = harness_run(fuzz.h, &item, 1);
	fuzz.dirty = true;
	if (fuzz.damaged)
		return status;
	MUST(status == AV_OK, "a feed's batch failed the turn: %s", av_status_name(status));
	MUST(item.status == AV_OK || item.status == AV_STALE, "a feed's batch failed: %s (%s)",
		av_status_name(item.status), fuzz.h->result.failed_text ? fuzz.h->result.failed_text : "");
	if (fuzz.telling)
		fprintf(stderr, "  %s: %s%s, %zu events, %zu quarantined\n", feed,
			av_status_name(item.status), item.halted ? ", halted" : "", fuzz.h->result.events,
			fuzz.h->result.quarantined);
	return item.status;
}

static void run_feed(const struct step *step)
{
	struct av_faults faults;
	ProtobufCMessage *message;
	const char *feed = feed_names[step->who % AV_COUNT(feed_names)];
	struct harness_producer *producer = harness_producer(fuzz.h, feed);
	uint64_t after = cursor_of(feed).position.sequence;
	av_faults_init(&faults, fuzz.h->arena);
	if (av_message_unpack(&avvik__v1__feed_batch__descriptor, step->body, AV_WIRE_LIMITS_PUBLISH,
		    fuzz.h->arena, &faults, &message) != AV_OK)
		return;
	Avvik__V1__FeedBatch *batch = (Avvik__V1__FeedBatch *)message;
	if (step->follow)
		follow_batch(batch, producer);
	else if (batch->n_items > 0 && batch->items[0]->sequence > 0)
		after = AV_MIN(after, batch->items[0]->sequence - 1); /* as if it had been asked after that */
	if (!plausible(batch, after))
		return;
	deliver(feed, batch, after);
	if (fuzz.damaged)
		return;
	look_at_events();
	uint64_t head = harness_head(fuzz.h);
	if (step->follow) {
		deliver(feed, batch, after);
		MUST(harness_head(fuzz.h) == head, "a batch of a feed, given again, has an effect again");
	}
}

/* The producer comes back from a backup and no longer holds what this daemon has seen. */
static void run_refused(const struct step *step)
{
	const char *feed = feed_names[step->who % AV_COUNT(feed_names)];
	struct harness_producer *producer = harness_producer(fuzz.h, feed);
	uint64_t back = step->body.size ? *(const unsigned char *)step->body.data : 1;
	producer->sequence -= AV_MIN(back, producer->sequence);
	producer->epoch.bytes[1]++;
	producer->hash[0]++;
	struct av_position head = {.epoch = producer->epoch, .sequence = producer->sequence};
	memcpy(head.hash, producer->hash, AV_CHAIN_SIZE);
	av_turn_feed_head(fuzz.h->turn, feed, &head);
	fuzz.dirty = true;
}

/* --- time --- */

static void run_due(const struct step *step)
{
	struct harness *h = fuzz.h;
	uint32_t minutes = 0;
	for (size_t i = 0; i < AV_MIN(step->body.size, 4); i++)
		minutes |= (uint32_t)((const unsigned char *)step->body.data)[i] << 8 * i;
	h->now_ms += (int64_t)(minutes % MINUTES_MAX) * 60000;
	fuzz.dirty = true;
	bool more = true;
	for (int round = 0; more; round++) {
		struct av_item item = {.kind = AV_ITEM_DUE, .arrived_at_ms = h->now_ms};
		int status = harness_run(h, &item, 1);
		more = item.more;
		if (fuzz.damaged) {
			if (status < 0 || item.status < 0 || round == ROUNDS_MAX)
				return;
			continue;
		}
		MUST(status == AV_OK && item.status == AV_OK, "due work failed: %s, %s (%s)",
			av_status_name(status), av_status_name(item.status),
			h->result.failed_text ? h->result.failed_text : "");
		MUST(round < ROUNDS_MAX, "due work has no end");
	}
	if (!fuzz.damaged)
		look_at_events();
}

/* --- stored records --- */

static void run_apply(const struct step *step)
{
	struct av_txn *txn;
	struct av_arena *arena = fuzz.h->arena;
	ProtobufCMessage *event;
	uint64_t sequence;
	fuzz.damaged = fuzz.dirty = true;
	if (av_txn_begin_write(fuzz.h->store, &txn) != AV_OK)
		return;
	av_journal_append(txn, step->body, &sequence);
	int status = av_message_load(&avvik__v1__event__descriptor, step->body, arena, &event);
	if (status == AV_OK)
		status = fuzz.h->service->apply(txn, (const Avvik__V1__Event *)event, arena);
	if (status == AV_OK && fuzz.h->service->receipt_leaf) {
		Avvik__V1__ReceiptLeaf leaf = AVVIK__V1__RECEIPT_LEAF__INIT;
		(void)fuzz.h->service->receipt_leaf((const Avvik__V1__Event *)event, &leaf);
	}
	(void)av_txn_commit(&txn); /* refused ones leave nothing, ignoring */
}

static bool find_record(struct av_txn *txn, unsigned int table, size_t number, struct av_bytes *ret_key,
	struct av_bytes *ret_value)
{
	size_t count = av_table_count(txn, table), at = 0;
	if (count == 0)
		return false;
	struct av_iter it = av_iter(txn, table, av_bytes(NULL, 0), av_bytes(NULL, 0));
	bool found = false;
	while (!found && av_iter_next(&it)) {
		if (at++ != number % count)
			continue;
		*ret_key = av_bytes(av_arena_copy(fuzz.h->arena, it.key.data, it.key.size), it.key.size);
		*ret_value =
			av_bytes(av_arena_copy(fuzz.h->arena, it.value.data, it.value.size), it.value.size);
		found = true;
	}
	av_iter_end(&it);
	return found;
}

enum change { OVERWRITE, TRUNCATE, EXTEND, DELETE, REPLACE, CHANGES };

static void change_record(struct av_txn *txn, unsigned int table, const struct step *step)
{
	const unsigned char *p = step->body.data;
	struct av_bytes key, value, bytes = av_bytes(p + 6, step->body.size - 6);
	size_t offset = p[4] | (size_t)p[5] << 8;
	if (!find_record(txn, table, p[1] | (size_t)p[2] << 8, &key, &value))
		return;
	unsigned char *changed = av_arena_alloc(fuzz.h->arena, value.size + bytes.size + 1);
	memcpy(changed, value.data, value.size);
	size_t size = value.size;
	offset = value.size ? offset % value.size : 0;
	switch ((enum change)(p[3] % CHANGES)) {
	case OVERWRITE:
		memcpy(changed + offset, bytes.data, AV_MIN(bytes.size, size - offset));
		break;
	case TRUNCATE:
		size = offset;
		break;
	case EXTEND:
		memcpy(changed + size, bytes.data, bytes.size);
		size += bytes.size;
		break;
	case DELETE:
		av_delete(txn, table, key);
		return;
	case REPLACE:
		memcpy(changed, bytes.data, bytes.size);
		size = bytes.size;
		break;
	case CHANGES:
		break;
	}
	av_put(txn, table, key, av_bytes(changed, size));
}

static void run_record(const struct step *step)
{
	struct av_txn *txn;
	unsigned int tables = 0;
	if (step->body.size < 6)
		return;
	fuzz.damaged = fuzz.dirty = true;
	while (av_store_table(fuzz.h->store, tables))
		tables++;
	if (av_txn_begin_write(fuzz.h->store, &txn) != AV_OK)
		return;
	change_record(txn, *(const unsigned char *)step->body.data % tables, step);
	(void)av_txn_commit(&txn);
}

/* --- reading everything --- */

static void quiet(void *context, bool good, const char *line)
{
	AV_UNUSED(context);
	AV_UNUSED(good);
	AV_UNUSED(line);
}

static void remove_folder(const char *path)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "lock"};
	char file[1024];
	for (size_t i = 0; i < AV_COUNT(names); i++) {
		snprintf(file, sizeof file, "%s/%s", path, names[i]);
		unlink(file);
	}
	rmdir(path);
}

static void look_at_feed(void)
{
	struct harness *h = fuzz.h;
	struct av_txn *txn = harness_read(h);
	struct av_bytes packed;
	for (uint64_t sequence = 1; av_journal_read(txn, sequence, &packed, NULL) == AV_OK; sequence++) {
		Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
		ProtobufCMessage *event;
		(void)av_event_number(packed);
		if (h->service->open_parts &&
			av_message_load(&avvik__v1__event__descriptor, packed, h->arena, &event) == AV_OK)
			(void)h->service->open_parts(
				h->keys, txn, (const Avvik__V1__Event *)event, h->arena, &item);
	}
	for (size_t i = 0; i < AV_COUNT(feed_names); i++) {
		struct av_feed_standing standing;
		struct av_cursor cursor;
		(void)av_feed_standing(txn, feed_names[i], h->arena, &standing);
		(void)av_cursor_load(txn, feed_names[i], &cursor);
	}
	av_txn_abort(&txn);
}

static void run_steps(const struct step *steps, size_t count);

static void run_look(void)
{
	struct harness *h = fuzz.h;
	const char *scratch = av_arena_printf(h->arena, "%s/look", h->path);
	if (fuzz.looking)
		return;
	fuzz.looking = true;
	run_steps(fuzz.look, fuzz.look_count);
	fuzz.looking = false;
	look_at_feed();
	int status = av_verify(h->service, h->store, scratch, h->sign_public, quiet, NULL);
	remove_folder(scratch);
	MUST(fuzz.damaged || status == AV_OK, "what stands is not what the journal gives: %s",
		av_status_name(status));
}

/* --- an input --- */

static void run_steps(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count;) {
		const struct step *step = &steps[i];
		if (step->kind == STEP_COMMAND) {
			i += run_commands(step, count - i);
			continue;
		}
		i++;
		switch ((enum daemon_step)step->kind) {
		case STEP_FEED:
			run_feed(step);
			break;
		case STEP_DUE:
			run_due(step);
			break;
		case STEP_RESTART:
			if (!fuzz.damaged) {
				harness_restart(fuzz.h);
				if (fuzz_daemon.started)
					fuzz_daemon.started(fuzz.h);
				fuzz.dirty = true;
			}
			break;
		case STEP_UPKEEP:
			for (int n = 0; n < 8 && av_turn_upkeep(fuzz.h->turn, fuzz.h->now_ms) == AV_OK; n++)
				fuzz.dirty = true;
			break;
		case STEP_ENDED:
			if (fuzz_daemon.ended && step->body.size > 0) {
				fuzz_daemon.ended(
					fuzz.h, *(const unsigned char *)step->body.data, fuzz.h->now_ms);
				fuzz.dirty = true;
			}
			break;
		case STEP_REFUSED:
			run_refused(step);
			break;
		case STEP_LOOK:
			run_look();
			break;
		case STEP_APPLY:
			run_apply(step);
			break;
		case STEP_RECORD:
			run_record(step);
			break;
		case STEP_COMMAND:
		case STEP_COUNT:
			break;
		}
	}
}

/* While the daemon is down: a damaged store is opened as at a start, then the world is put back. */
static void put_back(void *context, struct harness *h)
{
	AV_UNUSED(context);
	if (fuzz.damaged) {
		const char *why = "";
		struct av_store *store = NULL;
		struct av_random random = av_random_seeded(7);
		struct av_store_options options = {.path = av_arena_printf(h->arena, "%s/data", h->path),
			.map_bytes = h->map_bytes,
			.tables = h->service->tables,
			.table_count = h->service->table_count,
			.daemon = h->service->name,
			.instance = h->settings.instance,
			.stepped_clock = true,
			.now_ms = h->now_ms};
		if (av_store_open(&options, &random, &store, &why) == AV_OK)
			av_store_close(&store);
	}
	image_put(fuzz.image, h->path);
	memcpy(h->producers, fuzz.producers, sizeof fuzz.producers);
	h->now_ms = harness_at(NOW);
	h->random = av_random_seeded(11);
}

static void rewind_world(void)
{
	struct harness *h = fuzz.h;
	if (fuzz.dirty) { /* also what the turn itself knows of producers */
		harness_restart_with(h, put_back, NULL);
		if (h->cache) {
			h->service->cache_destroy(h->cache);
			h->cache = h->service->cache_create();
		}
	}
	memcpy(h->producers, fuzz.producers, sizeof fuzz.producers);
	h->now_ms = harness_at(NOW);
	h->random = av_random_seeded(11);
	fuzz.damaged = fuzz.dirty = false;
	fuzz.grant = NULL;
	fuzz.receipt = NULL;
	av_arena_reset(fuzz.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step steps[STEPS_MAX];
	uint64_t seen = fuzz.seen;
	struct av_id case_id = fuzz.case_id, content_id = fuzz.content_id, measure_id = fuzz.measure_id;
	size_t count = steps_read(av_bytes(data, size), steps, STEPS_MAX);
	run_steps(steps, count);
	if (fuzz.damaged || (fuzz.dirty && (size + (size ? data[size - 1] : 0)) % 16 == 0))
		run_look();
	rewind_world();
	fuzz.seen = seen;
	fuzz.case_id = case_id;
	fuzz.content_id = content_id;
	fuzz.measure_id = measure_id;
	return 0;
}

/* --- the start --- */

static void make_principals(void)
{
	static const char *const units[] = {"boendet", "lindhaga", NULL}, *const roles[] = {"EC", NULL};
	fuzz.principals[0] = harness_principal("cases", "case_system", (1u << AV_RIGHT_COUNT) - 1);
	fuzz.principals[1] = harness_principal("care", "publisher", AV_MAY_PUBLISH);
	fuzz.principals[2] = harness_principal("limited", "case_system",
		AV_MAY_PUBLISH | AV_MAY_ACT | AV_MAY_QUERY | AV_MAY_CONTENT | AV_MAY_SUMMARY);
	fuzz.principals[2].units = units;
	fuzz.principals[2].roles = roles;
	fuzz.principals[3] = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	fuzz.principals[4] = harness_principal("nobody", "consumer", 0);
}

/* A store in memory, where there is one: it is opened thousands of times. */
static void choose_folder(void)
{
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	setenv("CMOCKA_TEST_ABORT", "1", 1); /* what the harness finds wrong is a finding */
}

static void close_world(void)
{
	fuzz.h->arena = fuzz.settings_arena;
	harness_close(&fuzz.h);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct step *steps = calloc(STEPS_MAX, sizeof *steps);
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	choose_folder();
	fuzz.telling = getenv("AVVIK_FUZZ_TELL") != NULL;
	make_principals();
	struct av_arena *arena = av_arena_create(0);
	size_t count = seeds_load(
		av_arena_printf(arena, "%s/%s", SOURCE_DIR, fuzz_daemon.world), arena, steps, STEPS_MAX);
	fuzz.look_arena = av_arena_create(0);
	if (fuzz_daemon.look)
		fuzz.look_count = seeds_load(av_arena_printf(arena, "%s/%s", SOURCE_DIR, fuzz_daemon.look),
			fuzz.look_arena, fuzz.look, STEPS_MAX);
	struct harness_options options = {.service = fuzz_daemon.service,
		.now_ms = harness_at(NOW),
		.map_bytes = (size_t)16 * 1024 * 1024};
	fuzz.h = harness_open_with(&options);
	atexit(close_world);
	fuzz.settings_arena = fuzz.h->arena;
	fuzz.h->arena = fuzz.arena = av_arena_create(0);
	harness_upkeep(fuzz.h);
	if (fuzz_daemon.started)
		fuzz_daemon.started(fuzz.h);
	run_steps(steps, count);
	run_look();
	memcpy(fuzz.producers, fuzz.h->producers, sizeof fuzz.producers);
	harness_restart(fuzz.h); /* everything is in the files */
	fuzz.image = image_take(fuzz.h->path);
	fuzz.dirty = true;
	rewind_world();
	av_arena_destroy(&arena);
	free(steps);
	return 0;
}
