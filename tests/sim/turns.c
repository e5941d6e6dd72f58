/* turns.c - what arrives at a daemon, queries, and the loop around a turn, as loop.c and ask.c have it
 */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000
#define DUE_RETRY_MS 60000

/* --- what arrives --- */

const struct av_principal *client_now(struct world *w, int client)
{
	return w->revoked[client] ? NULL : &w->clients[client];
}

static void answer(struct node *n, struct packet *packet, struct av_bytes reply)
{
	if (packet->connection != n->world->connections[packet->order->client][n->number]) {
		free(packet);
		return;
	}
	struct packet *back = packet_new(packet->order, reply);
	back->turn = n->turns;
	back->revoked = packet->revoked;
	line_push(&n->world->down[packet->order->client][n->number], back);
	free(packet);
}

void node_arrive(struct node *n, struct packet *packet, int client)
{
	const struct av_principal *principal = client_now(n->world, client);
	const struct av_command_row *row = NULL;
	struct av_bytes wire = av_bytes(packet->data, packet->size), reply = {0};
	Avvik__V1__Command *command;
	packet->revoked = !principal;
	bool readable = av_command_peek(&n->service, wire, &row) == AV_OK;
	if (!readable || !row || !principal || !(row->rights & principal->rights)) {
		(void)av_command_decode(
			&n->service, wire, principal, n->world->scratch, &command, &row, &reply);
		answer(n, packet, reply);
		return;
	}
	packet->arrived_at_ms = n->world->now_ms;
	packet->number = ++n->world->packets;
	line_push(&n->queue, packet);
}

Avvik__V1__Reply *node_ask(struct node *n, int client, unsigned int number, ProtobufCMessage *query)
{
	struct world *w = n->world;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT, *decoded;
	const struct av_principal *principal = client_now(w, client);
	const struct av_command_row *row;
	struct av_bytes reply;
	ProtobufCMessage *message;
	if (!n->up || !principal)
		return NULL;
	av_body_set(&command.base, number, query);
	struct av_bytes wire = av_message_pack(&command.base, w->scratch);
	struct av_ctx ctx = {
		.now_ms = w->now_ms,
		.arrived_at_ms = w->now_ms,
		.arena = w->scratch,
		.random = &n->query_random,
		.keys = n->keys,
		.instance = w->settings->instance,
		.settings = w->settings,
		.cache = n->cache,
		.sign_public = n->sign_public,
		.principal = principal,
	};
	if (av_command_decode(&n->service, wire, principal, w->scratch, &decoded, &row, &reply) == AV_OK) {
		SIM_EXPECT(w, av_txn_begin_read(n->store, &ctx.txn) == AV_OK, "no read transaction");
		reply = av_query_run(&n->service, decoded, &ctx);
	}
	int status = av_message_load(&avvik__v1__reply__descriptor, reply, w->scratch, &message);
	av_txn_abort(&ctx.txn);
	SIM_EXPECT(w, status == AV_OK, "%s: a query's reply cannot be read", n->service.name);
	return (Avvik__V1__Reply *)message;
}

/* --- a turn --- */

static bool due_ready(const struct node *n)
{
	return (n->due_more || (n->next_due_ms > 0 && n->next_due_ms <= n->world->now_ms)) &&
	       n->due_retry_at_ms <= n->world->now_ms;
}

bool node_waits(struct node *n)
{
	bool feeds = false;
	for (size_t i = 0; i < n->follow_count; i++)
		feeds |= reader_ready(&n->follows[i]);
	return n->up && (n->queue.first || n->inner || feeds || n->principals_changed || due_ready(n));
}

static struct av_item *item_add(struct node *n, enum av_item_kind kind, int64_t arrived_at_ms, uint64_t order)
{
	struct av_item *item = &n->items[n->item_count++];
	*item = (struct av_item){.kind = kind, .arrived_at_ms = arrived_at_ms, .order = order};
	return item;
}

static int by_arrival(const void *a, const void *b)
{
	const struct av_item *left = a, *right = b;
	if (left->arrived_at_ms != right->arrived_at_ms)
		return left->arrived_at_ms < right->arrived_at_ms ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static void add_commands(struct node *n, size_t most)
{
	for (size_t i = 0; i < most && n->queue.first; i++) {
		struct packet *packet = line_pop(&n->queue);
		struct av_item *item = item_add(n, AV_ITEM_COMMAND, packet->arrived_at_ms, packet->number);
		item->wire = av_bytes(packet->data, packet->size);
		item->principal = client_now(n->world, packet->order->client);
		item->owner = packet;
		packet->revoked = !item->principal;
	}
}

static void add_inner(struct node *n, size_t most)
{
	for (size_t i = 0; i < most && n->inner; i++) {
		struct inner *inner = n->inner;
		n->inner = inner->next;
		if (!n->inner)
			n->inner_last = &n->inner;
		n->inner_count--;
		struct av_item *item = item_add(n, AV_ITEM_INNER, inner->arrived_at_ms, 0);
		item->inner_kind = inner->kind;
		item->wire = av_bytes(inner->data, inner->size);
		item->owner = inner;
	}
}

static void add_feeds(struct node *n)
{
	for (size_t i = 0; i < n->follow_count; i++) {
		struct follow *f = &n->follows[i];
		av_turn_feed_head(n->turn, f->name, f->has_refused_head ? &f->refused_head : NULL);
		if (!reader_ready(f))
			continue;
		struct av_item *item = item_add(n, AV_ITEM_FEED, n->world->now_ms, UINT64_MAX - 1);
		item->feed = f->name;
		item->batch = f->handed.batch;
		item->after = f->handed.after;
		item->owner = f;
		f->in_turn = true;
	}
}

static void add_principals(struct node *n)
{
	static const char *const names[] = {"care", "alarm", "cases", "admin"};
	static unsigned char hash[AV_HASH_SIZE];
	static struct av_principals_change change;
	static const char *changed[CLIENTS];
	if (!n->principals_changed)
		return;
	for (int i = 0; i < CLIENTS; i++)
		changed[i] = names[i];
	change = (struct av_principals_change){.changed = changed, .changed_count = CLIENTS};
	av_put_u64(hash, n->turns);
	struct av_item *item = item_add(n, AV_ITEM_PRINCIPALS, 0, 0);
	item->change = &change;
	item->change_hash = hash;
	item->change_count = CLIENTS;
}

static void due_done(struct node *n, const struct av_item *item, bool alone)
{
	struct world *w = n->world;
	n->due_more = item->status == AV_OK && item->more;
	n->due_failed = item->status < 0 && item->status != AV_FULL && item->status != AV_BUSY;
	if (item->status < 0) {
		n->due_retry_at_ms = w->now_ms + (n->due_failed ? DUE_RETRY_MS : RETRY_MS);
		n->waits[n->wait_count % AV_COUNT(n->waits)].from_ms = w->now_ms;
		n->waits[n->wait_count++ % AV_COUNT(n->waits)].to_ms = n->due_retry_at_ms;
	}
	if (item->status >= 0 && alone && !n->due_more && n->next_due_ms == item->arrived_at_ms)
		n->due_retry_at_ms = w->now_ms + RETRY_MS;
	SIM_EXPECT(w, !n->due_failed || n->due_crashes >= 2, "%s: due work failed: %s", n->service.name,
		av_status_name(item->status));
}

static void inner_done(struct node *n, struct av_item *item)
{
	struct inner *inner = item->owner;
	if (item->status != AV_FULL && item->status != AV_BUSY) {
		SIM_EXPECT(n->world, item->status >= 0 || item->status == AV_INTERNAL,
			"%s: an inner item failed: %s", n->service.name, av_status_name(item->status));
		free(inner);
		return;
	}
	inner->next = n->inner;
	if (!n->inner)
		n->inner_last = &inner->next;
	n->inner = inner;
	n->inner_count++;
}

static void item_done(struct node *n, struct av_item *item)
{
	switch (item->kind) {
	case AV_ITEM_COMMAND:
		SIM_EXPECT(n->world, item->reply.data, "%s: a command without a reply", n->service.name);
		answer(n, item->owner, item->reply);
		break;
	case AV_ITEM_FEED:
		reader_done(item->owner, item);
		break;
	case AV_ITEM_INNER:
		inner_done(n, item);
		break;
	case AV_ITEM_PRINCIPALS:
		n->principals_changed = item->status < 0;
		break;
	case AV_ITEM_DUE:
		break;
	}
	item->owner = NULL;
}

/* What was in the batch is lost with the process. */
static void died(struct node *n)
{
	for (size_t i = 0; i < n->item_count; i++)
		if (n->items[i].kind == AV_ITEM_COMMAND || n->items[i].kind == AV_ITEM_INNER)
			free(n->items[i].owner);
	node_crash(n);
}

bool node_turn(struct node *n, bool all)
{
	struct world *w = n->world;
	struct av_turn_result result;
	size_t most = all ? SIM_QUEUE / 2 : 1 + chance(w, 40);
	n->item_count = 0;
	add_commands(n, most);
	add_inner(n, most / 4 + 1);
	add_principals(n);
	add_feeds(n);
	if (due_ready(n))
		item_add(n, AV_ITEM_DUE, n->next_due_ms, UINT64_MAX);
	if (n->item_count == 0)
		return true;
	qsort(n->items, n->item_count, sizeof *n->items, by_arrival);
	bool alone = n->item_count == 1;
	fault_arm(n);
	if (setjmp(w->death)) {
		died(n);
		return false;
	}
	n->turns++;
	mutate_before_turn(n);
	int status = av_turn_run(n->turn, n->items, n->item_count, w->now_ms, &result);
	fault_disarm(w);
	mutate_after_turn(n);
	/* Whether a commit whose sync failed holds, nobody knows: the daemon ends without a reply. */
	if (disk_is_cut(n) || (status == AV_IO && disk_failed(n))) {
		died(n);
		return false;
	}
	SIM_EXPECT(w, status == AV_OK || status == AV_FULL, "%s: the turn failed: %s", n->service.name,
		av_status_name(status));
	n->full = status == AV_FULL && !disk_failed(n);
	if (status == AV_OK)
		n->next_due_ms = result.next_due_ms;
	n->upkeep |= result.keys_low || result.doomed;
	w->count.quarantined += result.quarantined;
	for (size_t i = 0; i < n->item_count; i++)
		if (n->items[i].kind == AV_ITEM_DUE)
			due_done(n, &n->items[i], alone);
	/* Committed, and nobody knows: it may die now, or when some of the replies have left. */
	bool dies = fault(w, KIND_DEATHS, 100);
	size_t told = dies ? chance(w, n->item_count + 1) : n->item_count;
	for (size_t i = 0; i < told; i++)
		item_done(n, &n->items[i]);
	if (dies) {
		memmove(n->items, n->items + told, (n->item_count - told) * sizeof *n->items);
		n->item_count -= told;
		died(n);
		return false;
	}
	n->item_count = 0;
	if (result.feeds_resolved)
		for (size_t i = 0; i < n->follow_count; i++)
			reader_restart(&n->follows[i]);
	if (n->number == NOTIFICATION)
		mail_look(n);
	return true;
}

bool node_upkeep(struct node *n)
{
	struct world *w = n->world;
	if (!n->upkeep)
		return false;
	n->item_count = 0;
	fault_arm(n);
	if (setjmp(w->death)) {
		node_crash(n);
		return true;
	}
	int status = av_turn_upkeep(n->turn, w->now_ms);
	fault_disarm(w);
	if (disk_is_cut(n) || (status == AV_IO && disk_failed(n))) {
		node_crash(n); /* of a failed disk health tells, and the administrator starts it again */
		return true;
	}
	SIM_EXPECT(w, status >= 0 || status == AV_FULL, "%s: upkeep failed: %s", n->service.name,
		av_status_name(status));
	n->upkeep = status == AV_OK;
	return true;
}
