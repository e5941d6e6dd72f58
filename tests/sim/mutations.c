/* mutations.c - what is broken on purpose, to show that it is found
 *
 * Mutations never touch the product's code: they sit in calls that the linker sends through here (--wrap), in
 * the copy of the service's table that the simulation runs with, or in the disk (disk.c).
 */
#include "sim.h"

#include <string.h>

#include "../../services/notification/notification_store.h"
#include "daemon/turn_inner.h"
#include "store/references.h"

static const struct world *watched;

int __real_av_reference_find(
	struct av_txn *txn, const char *principal, const char *reference, struct av_reference *ret_found);
int __wrap_av_reference_find(
	struct av_txn *txn, const char *principal, const char *reference, struct av_reference *ret_found);

int __real_feed_record_load(struct av_txn *txn, const char *feed, struct feed_record *ret_record);
int __wrap_feed_record_load(struct av_txn *txn, const char *feed, struct feed_record *ret_record);
int __real_av_cursor_load(struct av_txn *txn, const char *feed, struct av_cursor *ret_cursor);
int __wrap_av_cursor_load(struct av_txn *txn, const char *feed, struct av_cursor *ret_cursor);

void mutate_world(struct world *w)
{
	watched = w;
}

int __wrap_av_reference_find(
	struct av_txn *txn, const char *principal, const char *reference, struct av_reference *ret_found)
{
	if (watched && watched->mutation == MUTATION_NO_REPETITION)
		return AV_NOT_FOUND;
	return __real_av_reference_find(txn, principal, reference, ret_found);
}

/* The cursor goes ahead of the work, in a transaction of its own; the turn is shown where it was. */
static struct {
	bool on;
	struct feed_record record[SIM_FEEDS];
	struct av_cursor cursor[SIM_FEEDS];
	const char *feed[SIM_FEEDS];
	int record_status[SIM_FEEDS], cursor_status[SIM_FEEDS];
	size_t count;
} ahead;

static size_t ahead_of(const char *feed)
{
	for (size_t i = 0; ahead.on && i < ahead.count; i++)
		if (strcmp(ahead.feed[i], feed) == 0)
			return i;
	return SIM_FEEDS;
}

int __wrap_feed_record_load(struct av_txn *txn, const char *feed, struct feed_record *ret_record)
{
	size_t at = ahead_of(feed);
	if (at == SIM_FEEDS)
		return __real_feed_record_load(txn, feed, ret_record);
	*ret_record = ahead.record[at];
	return ahead.record_status[at];
}

int __wrap_av_cursor_load(struct av_txn *txn, const char *feed, struct av_cursor *ret_cursor)
{
	size_t at = ahead_of(feed);
	if (at == SIM_FEEDS)
		return __real_av_cursor_load(txn, feed, ret_cursor);
	*ret_cursor = ahead.cursor[at];
	return ahead.cursor_status[at];
}

static void cursor_first(struct node *n)
{
	struct av_txn *txn;
	ahead.on = false;
	ahead.count = 0;
	if (av_txn_begin_write(n->store, &txn) < 0)
		return;
	for (size_t i = 0; i < n->item_count; i++) {
		const struct av_item *item = &n->items[i];
		struct av_cursor cursor = {0};
		size_t at = ahead.count;
		if (item->kind != AV_ITEM_FEED)
			continue;
		ahead.feed[at] = item->feed;
		ahead.record_status[at] = __real_feed_record_load(txn, item->feed, &ahead.record[at]);
		ahead.cursor_status[at] = __real_av_cursor_load(txn, item->feed, &ahead.cursor[at]);
		ahead.count++;
		const Avvik__V1__Cursor *reached = item->batch->reached;
		cursor.position.sequence = reached->sequence;
		memcpy(cursor.position.epoch.bytes, reached->epoch_id.data, AV_ID_SIZE);
		memcpy(cursor.position.hash, reached->chain_hash.data, AV_CHAIN_SIZE);
		memcpy(cursor.view, item->batch->view.data, sizeof cursor.view);
		struct feed_record record = ahead.record[at];
		if (ahead.record_status[at] < 0)
			memset(&record, 0, sizeof record);
		record.handled = reached->sequence;
		feed_record_store(txn, item->feed, &record);
		av_cursor_store(txn, item->feed, &cursor);
	}
	(void)av_txn_commit(&txn); /* a full map: nothing is ahead, ignoring */
	ahead.on = ahead.count > 0;
}

/* The key of each content that an erasing grant names, before the turn has said so. */
static void key_first(struct node *n)
{
	for (size_t i = 0; i < n->item_count; i++) {
		const struct av_item *item = &n->items[i];
		const struct packet *packet = item->owner;
		ProtobufCMessage *message;
		struct av_txn *txn;
		if (item->kind != AV_ITEM_COMMAND || packet->order->kind != ORDER_OPEN ||
			!packet->order->erasing)
			continue;
		const Avvik__V1__OpenContent *open = (const Avvik__V1__OpenContent *)packet->order->body;
		struct av_bytes body = av_bytes(open->grant->body.data, open->grant->body.len);
		if (av_message_load(&avvik__v1__grant_body__descriptor, body, n->world->scratch, &message) <
				0 ||
			av_txn_begin_read(n->store, &txn) < 0)
			continue;
		const Avvik__V1__GrantBody *grant = (const Avvik__V1__GrantBody *)message;
		for (size_t k = 0; k < grant->n_items; k++) {
			struct av_bytes id = av_bytes(grant->items[k]->content_id.data, AV_ID_SIZE), value;
			if (av_get(txn, AV_TABLE_CONTENT, id, &value) != AV_OK)
				continue;
			uint64_t number = av_get_u64((const unsigned char *)value.data + 2);
			(void)av_keystore_destroy(n->keys, &number, 1); /* only to break it, ignoring */
		}
		av_txn_abort(&txn);
	}
}

/* The replies as they would be, were the commit to hold. */
static void reply_first(struct node *n)
{
	for (size_t i = 0; i < n->item_count; i++) {
		struct av_item *item = &n->items[i];
		struct packet *packet = item->owner;
		if (item->kind != AV_ITEM_COMMAND || !item->reply.data ||
			packet->connection != n->world->connections[packet->order->client][n->number])
			continue;
		struct packet *reply = packet_new(packet->order, item->reply);
		reply->turn = n->turns;
		reply->revoked = packet->revoked;
		line_push(&n->world->down[packet->order->client][n->number], reply);
	}
}

void mutate_before_commit(struct node *n, struct av_txn *txn)
{
	struct world *w = n->world;
	if (w->mutation == MUTATION_REPLY_FIRST)
		reply_first(n);
	for (int k = 0; w->mutation == MUTATION_FEED_EARLY && k < NODES; k++)
		for (size_t i = 0; i < w->nodes[k].follow_count; i++)
			if (w->nodes[k].follows[i].from == n)
				reader_serve_early(&w->nodes[k].follows[i], txn);
}

/* Which events it has handled stands beside the cursor, and in tables of its own as well. */
void mutate_restored(struct node *n, struct av_txn *txn)
{
	static const unsigned int tables[] = {TABLE_SEEN, TABLE_DECIDED};
	const struct feed_record none = {.handled = 0};
	if (n->world->mutation != MUTATION_NOTICE_AGAIN || n->number != NOTIFICATION)
		return;
	av_cursor_forget(txn, "workflow");
	feed_record_store(txn, "workflow", &none);
	for (size_t i = 0; i < AV_COUNT(tables); i++) {
		struct av_iter it = av_iter(txn, tables[i], av_bytes(NULL, 0), av_bytes(NULL, 0));
		while (av_iter_next(&it))
			av_iter_delete(&it);
		av_iter_end(&it);
	}
}

void mutate_before_turn(struct node *n)
{
	if (n->world->mutation == MUTATION_CURSOR_FIRST)
		cursor_first(n);
	if (n->world->mutation == MUTATION_KEY_FIRST)
		key_first(n);
}

void mutate_after_turn(struct node *n)
{
	AV_UNUSED(n);
	ahead.on = false;
}

static int apply_without_rungs(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	if (event->body_case == AVVIK__V1__EVENT__BODY_RUNG_FIRED)
		return AV_OK;
	return watched->nodes[WORKFLOW].real->apply(txn, event, arena);
}

/* A replay leaves out the same ones. */
static int apply_without_jumps(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	static uint64_t left_out[256];
	static size_t count;
	const struct world *w = watched;
	bool out = false;
	if (event->body_case == AVVIK__V1__EVENT__BODY_RUNG_FIRED && !w->calm && w->jumped_at > 0 &&
		w->step < w->jumped_at + 100 && count < AV_COUNT(left_out))
		left_out[count++] = event->sequence;
	for (size_t i = 0; i < count; i++)
		out |= event->body_case == AVVIK__V1__EVENT__BODY_RUNG_FIRED &&
		       left_out[i] == event->sequence;
	return out ? AV_OK : w->nodes[WORKFLOW].real->apply(txn, event, arena);
}

static int apply_without_some_figures(
	struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	if (event->body_case == AVVIK__V1__EVENT__BODY_FIGURES_CHANGED && event->sequence % 97 == 0)
		return AV_OK;
	return watched->nodes[REPORTING].real->apply(txn, event, arena);
}

/* A record of the workflow's first own table, written by a handler. */
static int due_that_writes(struct av_ctx *ctx, unsigned int limit, bool *ret_more)
{
	av_put(ctx->txn, AV_TABLE_OWN + 1, av_bytes_of("9999-0001"), av_bytes("0123456789abcdef", 16));
	return watched->nodes[WORKFLOW].real->on_due(ctx, limit, ret_more);
}

/* Every text beside its seal: in a table that nobody looks at. */
static int apply_that_leaks(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED)
		av_put(txn, AV_TABLE_META, av_bytes_of("leak"), av_bytes_of(SIM_SECRET " was here"));
	return watched->nodes[INTAKE].real->apply(txn, event, arena);
}

static int act_with_another_state(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const struct av_service *real = watched->nodes[WORKFLOW].real;
	int status = AV_UNSUPPORTED;
	for (size_t i = 0; i < real->command_count; i++)
		if (real->commands[i].number == AVVIK__V1__COMMAND__BODY_ACT_ON_CASE)
			status = real->commands[i].handler(ctx, body);
	for (struct emitted *each = ctx->outcome->first; status >= 0 && each; each = each->next)
		if (each->event.body_case == AVVIK__V1__EVENT__BODY_CASE_ASSESSED_INITIALLY)
			each->event.case_assessed_initially->state =
				AVVIK__V1__CASE_STATE__CASE_STATE_FOLLOW_UP;
	return status;
}

static void mutate_acts(struct node *n)
{
	static struct av_command_row rows[64];
	memcpy(rows, n->real->commands, n->real->command_count * sizeof *rows);
	for (size_t i = 0; i < n->real->command_count; i++)
		if (rows[i].number == AVVIK__V1__COMMAND__BODY_ACT_ON_CASE)
			rows[i].handler = act_with_another_state;
	n->service.commands = rows;
}

/* What is deadline-met tells the ledger nothing. */
static int apply_without_ends(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	if (event->body_case == AVVIK__V1__EVENT__BODY_DEADLINE_MET && event->sequence % 5 == 0)
		return AV_OK;
	return watched->nodes[WORKFLOW].real->apply(txn, event, arena);
}

void mutate_service(struct node *n)
{
	struct av_service *service = &n->service;
	switch (n->world->mutation) {
	case MUTATION_RUNG_UNMARKED:
		if (n->number == WORKFLOW)
			service->apply = apply_without_rungs;
		break;
	case MUTATION_DUE_AGAIN:
		if (n->number == WORKFLOW)
			service->apply = apply_without_jumps;
		break;
	case MUTATION_FIGURE_LOST:
		if (n->number == REPORTING)
			service->apply = apply_without_some_figures;
		break;
	case MUTATION_OUTSIDE_APPLY:
		if (n->number == WORKFLOW)
			service->on_due = due_that_writes;
		break;
	case MUTATION_UNSEALED:
		if (n->number == INTAKE)
			service->apply = apply_that_leaks;
		break;
	case MUTATION_STATE_SKIPPED:
		if (n->number == WORKFLOW)
			mutate_acts(n);
		break;
	case MUTATION_END_LOST:
		if (n->number == WORKFLOW)
			service->apply = apply_without_ends;
		break;
	default:
		break;
	}
}
