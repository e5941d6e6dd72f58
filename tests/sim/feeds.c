/* feeds.c - both ends of a feed without sockets: what feed_server.c, feed_client.c and follow.c do around the
 * reading of a journal, which is the product's own (feed_read)
 *
 * A request or a reply may be lost with its connection; then the consumer asks again, and an old reply may
 * still come.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define REPLY_LIMITS ((struct av_wire_limits){AV_FEED_FRAME_MAX, 400000, 8})

/* --- the producer --- */

static bool may_see(void *context, const struct av_principal *principal, unsigned int number)
{
	AV_UNUSED(context);
	AV_UNUSED(number);
	return (principal->rights & AV_MAY_FEED) != 0;
}

static int open_parts(void *context, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	struct node *n = context;
	return n->service.open_parts(n->keys, txn, event, arena, item);
}

static void set_cursor(Avvik__V1__Cursor *cursor, const struct av_position *position)
{
	avvik__v1__cursor__init(cursor);
	cursor->epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)position->epoch.bytes};
	cursor->sequence = position->sequence;
	cursor->chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, (uint8_t *)(uintptr_t)position->hash};
}

static bool respond(struct follow *f, Avvik__V1__FeedReply *reply)
{
	struct av_bytes packed = av_message_pack(&reply->base, f->node->world->scratch);
	line_push(&f->replies, packet_new(NULL, packed));
	f->request = false;
	return true;
}

static bool refuse(struct follow *f, Avvik__V1__FeedRefusalCode code, const struct av_position *head)
{
	Avvik__V1__FeedReply reply = AVVIK__V1__FEED_REPLY__INIT;
	Avvik__V1__FeedRefusal refusal = AVVIK__V1__FEED_REFUSAL__INIT;
	Avvik__V1__Cursor cursor;
	reply.body_case = AVVIK__V1__FEED_REPLY__BODY_REFUSAL;
	reply.refusal = &refusal;
	refusal.code = code;
	refusal.text = (char *)(uintptr_t) "refused";
	if (head) {
		set_cursor(&cursor, head);
		refusal.head = &cursor;
	}
	return respond(f, &reply);
}

static bool serve(struct follow *f, struct av_txn *txn, const struct av_principal *principal)
{
	static const struct av_id none;
	struct node *n = f->from;
	const struct av_feed_server_options options = {.store = n->store,
		.may_see = may_see,
		.open_parts = n->service.open_parts ? open_parts : NULL,
		.context = n};
	struct av_position head, reached;
	struct feed_view view;
	bool moved = false;
	feed_view_make(&options, principal, &view);
	int status = av_journal_head(txn, &head);
	if (status == AV_OK && memcmp(&f->credit.after.epoch, &none, sizeof none) != 0) {
		status = av_journal_confirm(txn, &f->credit.after);
		moved = status == AV_NOTHING;
		status = AV_MIN(status, AV_OK);
	}
	Avvik__V1__FeedBatch batch = AVVIK__V1__FEED_BATCH__INIT;
	if (status == AV_OK) {
		reached = f->credit.after;
		reached.epoch = head.epoch;
		status = feed_read(&options, txn, &f->credit, &view, n->world->scratch, &batch, &reached);
	} else if (status == AV_NOT_FOUND) {
		return refuse(f, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNKNOWN_POSITION, &head);
	}
	SIM_EXPECT(n->world, status == AV_OK, "%s: the journal cannot be read: %s", n->service.name,
		av_status_name(status));
	if (reached.sequence == f->credit.after.sequence && !moved && !n->world->calm && chance(n->world, 3))
		return false; /* it waits for more */
	if (reached.sequence == f->credit.after.sequence && !moved && n->world->calm && f->at_head)
		return false;
	Avvik__V1__FeedReply reply = AVVIK__V1__FEED_REPLY__INIT;
	Avvik__V1__Cursor cursor;
	set_cursor(&cursor, &reached);
	batch.reached = &cursor;
	batch.head = head.sequence;
	batch.view = (ProtobufCBinaryData){AV_HASH_SIZE, view.hash};
	batch.moved_epoch = moved;
	reply.body_case = AVVIK__V1__FEED_REPLY__BODY_BATCH;
	reply.batch = &batch;
	return respond(f, &reply);
}

static struct av_principal principal_of(const struct node *n)
{
	return (struct av_principal){.name = n->service.name,
		.kind = "daemon",
		.rights = AV_MAY_FEED | (n->number == NOTIFICATION ? AV_MAY_CONTACTS : 0)};
}

void reader_serve_early(struct follow *f, struct av_txn *txn)
{
	const struct av_principal reader = principal_of(f->node);
	if (f->request && f->node->up && serve(f, txn, &reader))
		reader_receive(f); /* it is there before the producer can die */
}

bool reader_serve(struct follow *f)
{
	const struct av_principal reader = principal_of(f->node);
	struct av_txn *txn;
	if (!f->request || !f->from->up || !f->node->up)
		return false;
	if (f->node->world->feed_revoked && f->node->number == REPORTING)
		return refuse(f, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED, NULL);
	SIM_EXPECT(f->node->world, av_txn_begin_read(f->from->store, &txn) == AV_OK, "no read transaction");
	bool served = serve(f, txn, &reader);
	av_txn_abort(&txn);
	return served;
}

/* --- the consumer --- */

static void batch_drop(struct feed_batch *batch)
{
	av_arena_destroy(&batch->arena);
	*batch = (struct feed_batch){.arena = NULL};
}

void reader_ask(struct follow *f)
{
	struct world *w = f->node->world;
	if (f->stopped || f->asking || f->held.arena || !f->node->up || !f->from->up)
		return;
	f->credit = (struct feed_credit){.after = f->asked.position,
		.max_events = (uint32_t)(1 + chance(w, w->calm ? 1000 : 60)),
		.max_bytes = (uint32_t)(1024 + chance(w, 64 * 1024))};
	f->request = f->asking = true;
}

void reader_silence(struct follow *f)
{
	f->asking = f->request = false;
	reader_ask(f);
}

static enum { GOOD, OLD, BAD } judge(const struct follow *f, const Avvik__V1__FeedBatch *batch)
{
	static const struct av_id none;
	const struct av_position *asked = &f->asked.position;
	const Avvik__V1__Cursor *reached = batch->reached;
	if (!reached || reached->epoch_id.len != AV_ID_SIZE || reached->chain_hash.len != AV_CHAIN_SIZE ||
		batch->view.len != sizeof f->asked.view)
		return BAD;
	bool same_epoch = memcmp(reached->epoch_id.data, asked->epoch.bytes, AV_ID_SIZE) == 0;
	if (!same_epoch && !batch->moved_epoch && memcmp(&asked->epoch, &none, sizeof none) != 0)
		return OLD;
	if (reached->sequence < asked->sequence ||
		(batch->n_items > 0 && batch->items[0]->sequence <= asked->sequence))
		return OLD;
	uint64_t last = asked->sequence;
	for (size_t i = 0; i < batch->n_items; i++) {
		if (batch->items[i]->sequence <= last || batch->items[i]->sequence > reached->sequence)
			return BAD;
		last = batch->items[i]->sequence;
	}
	return GOOD;
}

static void take_batch(struct follow *f, struct feed_batch *batch)
{
	const Avvik__V1__Cursor *reached = batch->batch->reached;
	struct av_cursor to = {.position.sequence = reached->sequence};
	memcpy(to.position.epoch.bytes, reached->epoch_id.data, AV_ID_SIZE);
	memcpy(to.position.hash, reached->chain_hash.data, AV_CHAIN_SIZE);
	memcpy(to.view, batch->batch->view.data, sizeof to.view);
	bool news = batch->batch->n_items > 0 || memcmp(&to, &f->asked, sizeof to) != 0;
	batch->after = f->asked.position.sequence;
	f->asking = false;
	f->refused = false;
	f->asked = to;
	f->at_head = to.position.sequence >= batch->batch->head;
	if (!news)
		batch_drop(batch);
	else if (f->handed.arena)
		f->held = *batch;
	else
		f->handed = *batch;
}

static void take_refusal(struct follow *f, const Avvik__V1__FeedRefusal *refusal)
{
	struct world *w = f->node->world;
	f->asking = false;
	f->stopped = f->refused = true;
	f->has_refused_head = refusal->head != NULL;
	SIM_EXPECT(w, !f->has_refused_head || w->count.restores > 0,
		"%s: it has read more of %s than that one holds, and nothing was restored",
		f->node->service.name, f->name);
	f->retry_at_ms = w->now_ms + 30000;
	if (refusal->head) {
		f->refused_head.sequence = refusal->head->sequence;
		memcpy(f->refused_head.epoch.bytes, refusal->head->epoch_id.data, AV_ID_SIZE);
		memcpy(f->refused_head.hash, refusal->head->chain_hash.data, AV_CHAIN_SIZE);
	}
}

bool reader_receive(struct follow *f)
{
	struct world *w = f->node->world;
	struct packet *packet = line_pop(&f->replies);
	struct feed_batch batch = {.arena = NULL};
	struct av_faults faults;
	ProtobufCMessage *message;
	if (!packet)
		return false;
	batch.arena = av_arena_create(0);
	av_faults_init(&faults, batch.arena);
	int status = av_message_unpack(&avvik__v1__feed_reply__descriptor,
		av_bytes(packet->data, packet->size), REPLY_LIMITS, batch.arena, &faults, &message);
	free(packet);
	SIM_EXPECT(w, status == AV_OK, "%s: a feed's reply cannot be read", f->node->service.name);
	const Avvik__V1__FeedReply *reply = (const Avvik__V1__FeedReply *)message;
	if (!f->asking || f->stopped) {
		batch_drop(&batch);
	} else if (reply->body_case == AVVIK__V1__FEED_REPLY__BODY_BATCH) {
		batch.batch = reply->batch;
		f->has_refused_head = false;
		int verdict = judge(f, reply->batch);
		SIM_EXPECT(w, verdict != BAD, "%s: a batch that could not have been sent",
			f->node->service.name);
		if (verdict == GOOD)
			take_batch(f, &batch);
		else
			batch_drop(&batch);
	} else {
		take_refusal(f, reply->refusal);
		batch_drop(&batch);
	}
	return true;
}

bool reader_ready(const struct follow *f)
{
	return f->handed.arena && !f->in_turn && !f->halted && f->retry_at_ms <= f->node->world->now_ms;
}

bool reader_quiet(const struct follow *f)
{
	return f->at_head && !f->handed.arena && !f->held.arena && !f->halted && !f->refused;
}

static void take_done(struct follow *f)
{
	batch_drop(&f->handed);
	f->handed = f->held;
	f->held = (struct feed_batch){.arena = NULL};
}

int reader_cursor(struct follow *f, struct av_cursor *ret_cursor)
{
	struct av_txn *txn;
	SIM_EXPECT(f->node->world, av_txn_begin_read(f->node->store, &txn) == AV_OK, "no read transaction");
	int status = av_cursor_load(txn, f->name, ret_cursor);
	av_txn_abort(&txn);
	return status;
}

static void cursor_now(struct follow *f)
{
	memset(&f->asked, 0, sizeof f->asked);
	(void)reader_cursor(f, &f->asked); /* none: from the start, ignoring */
}

void reader_restart(struct follow *f)
{
	batch_drop(&f->handed);
	batch_drop(&f->held);
	f->halted = f->refused = f->stopped = f->asking = f->request = f->at_head = f->in_turn = false;
	f->retry_at_ms = 0;
	cursor_now(f);
}

void reader_done(struct follow *f, const struct av_item *item)
{
	f->in_turn = false;
	f->retry_at_ms = 0;
	if (item->status == AV_STALE) {
		reader_restart(f);
		return;
	}
	if (item->status < 0) {
		SIM_EXPECT(f->node->world, item->status == AV_FULL || item->status == AV_BUSY,
			"%s: the feed of %s cannot be handled: %s", f->node->service.name, f->name,
			av_status_name(item->status));
		f->retry_at_ms = f->node->world->now_ms + 1000;
		return;
	}
	if (item->halted) {
		f->halted = true;
		return;
	}
	take_done(f);
}

void reader_begin(struct node *n)
{
	n->follow_count = 0;
	for (size_t i = 0; i < n->service.event_count; i++) {
		const char *feed = n->service.events[i].feed;
		if (i > 0 && strcmp(feed, n->service.events[i - 1].feed) == 0)
			continue;
		struct follow *f = &n->follows[n->follow_count++];
		*f = (struct follow){.node = n, .name = feed};
		line_init(&f->replies);
		for (int k = 0; k < NODES; k++)
			if (strcmp(node_names[k], feed) == 0)
				f->from = &n->world->nodes[k];
		cursor_now(f);
	}
}

void reader_end(struct node *n)
{
	for (size_t i = 0; i < n->follow_count; i++) {
		batch_drop(&n->follows[i].handed);
		batch_drop(&n->follows[i].held);
		line_clear(&n->follows[i].replies);
	}
	n->follow_count = 0;
	/* Those that read from it lose their connection too. */
	for (int k = 0; k < NODES; k++) {
		struct node *reader = &n->world->nodes[k];
		for (size_t i = 0; i < reader->follow_count; i++)
			if (reader->follows[i].from == n) {
				line_clear(&reader->follows[i].replies);
				reader->follows[i].asking = reader->follows[i].request = false;
			}
	}
}
