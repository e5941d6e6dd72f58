/* node.c - one daemon: the loop around the turn, as loop.c, ask.c and backup.c have it, and its death
 *
 * Everything that lies in memory is thrown away when it dies: the queue, batches of feeds, what the service
 * told itself. What is left are the folders of the store and of the keys, and the file of marks.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/folder.h"
#include "daemon/turn_inner.h"

#define RETRY_MS 1000
#define DUE_RETRY_MS 60000
#define MAP_LEAST ((size_t)1 << 20)
#define MAP_DEFAULT ((size_t)1 << 30)

extern const struct av_service intake_service, workflow_service, notification_service, reporting_service;
static const struct av_service *const services[NODES] = {
	&intake_service, &workflow_service, &notification_service, &reporting_service};
const char *const node_names[NODES] = {"intake", "workflow", "notification", "reporting"};

static const char *below(struct node *n, const char *name)
{
	return av_arena_printf(n->world->scratch, "%s/%s", n->path, name);
}

void node_init(struct world *w, int number)
{
	struct node *n = &w->nodes[number];
	uint64_t seed = av_random_u64(&w->random);
	*n = (struct node){
		.world = w, .number = number, .real = services[number], .service = *services[number]};
	snprintf(n->path, sizeof n->path, "%s/%s", w->path, node_names[number]);
	n->random = av_random_seeded(seed);
	n->keys_random = av_random_seeded(seed ^ 0x6b657973);
	n->query_random = av_random_seeded(seed ^ 0x61736b73);
	av_sign_keypair(&n->random, n->sign_public, n->sign_secret);
	n->map_bytes = percent(w, 1500) ? MAP_LEAST : MAP_DEFAULT;
	line_init(&n->queue);
	n->inner_last = &n->inner;
	mutate_service(n);
}

/* --- life --- */

static int store_open(struct node *n, const char **ret_why)
{
	struct av_store_options options = {
		.path = below(n, "data"),
		.map_bytes = n->map_bytes,
		.tables = n->service.tables,
		.table_count = n->service.table_count,
		.daemon = n->service.name,
		.instance = n->world->settings->instance,
		.stepped_clock = true,
		.now_ms = n->world->now_ms,
	};
	return av_store_open(&options, &n->random, &n->store, ret_why);
}

static void open_parts(struct node *n)
{
	static const unsigned char master[AV_KEY_SIZE] = "the master key of a simulation";
	struct world *w = n->world;
	const char *why = "";
	int status = store_open(n, &why);
	SIM_EXPECT(w, status == AV_OK, "%s: the store does not open: %s", n->service.name, why);
	status = av_keystore_open(below(n, "keys"), master, &n->keys_random, &n->keys, &why);
	SIM_EXPECT(w, status == AV_OK, "%s: the key store does not open: %s", n->service.name, why);
	struct av_turn_options turn = {
		.service = &n->service,
		.store = n->store,
		.keys = n->keys,
		.random = &n->random,
		.instance = w->settings->instance,
		.settings = w->settings,
		.sign_secret = n->sign_secret,
		.grant_public = w->nodes[WORKFLOW].sign_public,
		.marks_path = below(n, "marks"),
		.stepped = true,
	};
	SIM_EXPECT(w, av_turn_create(&turn, &n->turn) == AV_OK, "%s: no turn", n->service.name);
	status = av_turn_recover(n->turn, w->now_ms);
	SIM_EXPECT(w, status == AV_OK || status == AV_FULL, "%s does not recover: %s", n->service.name,
		av_status_name(status));
}

static void forget_memory(struct node *n)
{
	n->up = false;
	n->item_count = 0;
	line_clear(&n->queue);
	for (struct inner *inner = n->inner, *next; inner; inner = next) {
		next = inner->next;
		free(inner);
	}
	n->inner = NULL;
	n->inner_last = &n->inner;
	n->inner_count = 0;
	reader_end(n);
	if (n->number == NOTIFICATION)
		mail_crashed(n);
	if (n->cache && n->service.cache_destroy)
		n->service.cache_destroy(n->cache);
	n->cache = NULL;
}

void node_crash(struct node *n)
{
	if (n->world->verbose)
		sim_say(n->world, "%s dies", n->service.name);
	n->crashes++;
	n->world->count.crashes++;
	fault_disarm(n->world);
	mutate_after_turn(n);
	forget_memory(n);
	av_turn_destroy(&n->turn);
	av_keystore_close(&n->keys);
	av_store_close(&n->store);
	link_drop(n->world, n->number);
}

void node_free(struct node *n)
{
	forget_memory(n);
	av_turn_destroy(&n->turn);
	av_keystore_close(&n->keys);
	av_store_close(&n->store);
}

bool node_start(struct node *n)
{
	struct av_txn *txn;
	n->item_count = 0;
	fault_arm(n);
	if (setjmp(n->world->death)) {
		node_crash(n);
		return false;
	}
	open_parts(n);
	fault_disarm(n->world);
	n->up = true;
	n->cache = n->service.cache_create ? n->service.cache_create() : NULL;
	n->due_more = n->due_failed = false;
	n->due_retry_at_ms = 0;
	n->upkeep = true;
	SIM_EXPECT(n->world, av_txn_begin_read(n->store, &txn) == AV_OK, "no read transaction");
	n->next_due_ms = n->service.next_due ? n->service.next_due(txn) : 0;
	av_txn_abort(&txn);
	reader_begin(n);
	if (n->number == NOTIFICATION)
		mail_started(n);
	return true;
}

void node_post(struct node *n, unsigned int kind, struct av_bytes data)
{
	struct inner *inner = malloc(sizeof *inner + data.size);
	if (!inner)
		abort();
	*inner = (struct inner){.kind = kind, .arrived_at_ms = n->world->now_ms, .size = data.size};
	memcpy(inner->data, data.data, data.size);
	*n->inner_last = inner;
	n->inner_last = &inner->next;
	n->inner_count++;
}

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
	if (item->status < 0)
		n->due_retry_at_ms = w->now_ms + (n->due_failed ? DUE_RETRY_MS : RETRY_MS);
	else if (alone && !n->due_more && n->next_due_ms == item->arrived_at_ms)
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
	SIM_EXPECT(w, status == AV_OK || status == AV_FULL, "%s: the turn failed: %s", n->service.name,
		av_status_name(status));
	n->full = status == AV_FULL;
	if (status == AV_OK)
		n->next_due_ms = result.next_due_ms;
	n->upkeep |= result.keys_low || result.doomed;
	w->count.quarantined += result.quarantined;
	for (size_t i = 0; i < n->item_count; i++)
		if (n->items[i].kind == AV_ITEM_DUE)
			due_done(n, &n->items[i], alone);
	/* Committed, and nobody knows: it may die now, or when some of the replies have left. */
	bool dies = !w->calm && percent(w, 100);
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
	SIM_EXPECT(w, status >= 0 || status == AV_FULL, "%s: upkeep failed: %s", n->service.name,
		av_status_name(status));
	n->upkeep = status == AV_OK;
	return true;
}

/* --- backups, as avvik-DAEMON --backup and --restore --- */

void node_backup(struct node *n)
{
	struct world *w = n->world;
	const char *path = below(n, "backup");
	folder_remove(path);
	SIM_EXPECT(w, av_store_copy(n->store, path) == AV_OK, "%s: no backup", n->service.name);
	n->has_backup = true;
	n->backup_turn = n->turns;
	w->count.backups++;
}

static void new_epoch(struct node *n)
{
	static const char note[] = "restored from a backup";
	unsigned char record[AV_ID_SIZE + 8 + sizeof note - 1];
	struct av_position head;
	struct av_txn *txn;
	SIM_EXPECT(n->world,
		av_txn_begin_write(n->store, &txn) == AV_OK && av_journal_head(txn, &head) == AV_OK,
		"%s: the restored store cannot be read", n->service.name);
	memcpy(record, head.epoch.bytes, AV_ID_SIZE);
	av_put_u64(record + AV_ID_SIZE, head.sequence);
	memcpy(record + AV_ID_SIZE + 8, note, sizeof note - 1);
	av_put(txn, AV_TABLE_META, av_bytes_of("restored"), av_bytes(record, sizeof record));
	av_journal_new_epoch(txn, &n->random);
	SIM_EXPECT(n->world, av_txn_commit(&txn) == AV_OK, "%s: no new epoch", n->service.name);
}

void node_restore(struct node *n)
{
	struct world *w = n->world;
	const char *data = below(n, "data"), *why = "";
	if (n->up)
		node_crash(n);
	folder_remove(data);
	SIM_EXPECT(w, folder_copy(below(n, "backup"), data) == AV_OK, "%s: no restore", n->service.name);
	unlink(below(n, "marks"));
	int status = store_open(n, &why);
	SIM_EXPECT(w, status == AV_OK, "%s: the restored store does not open: %s", n->service.name, why);
	new_epoch(n);
	av_store_close(&n->store);
	orders_forget(n);
	if (n->number == NOTIFICATION)
		mail_forget(w);
	w->count.restores++;
	if (w->verbose)
		sim_say(w, "%s is restored", n->service.name);
}
