/* node.c - the life of one daemon: opening, recovering, and its death
 *
 * Everything that lies in memory is thrown away when it dies: the queue, batches of feeds, what the service
 * told itself. What is left are the folders of the store and of the keys, and the file of marks.
 */
#include "disk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store_internal.h"

#define MAP_LEAST ((size_t)1 << 20)
#define MAP_DEFAULT ((size_t)1 << 30)

extern const struct av_service intake_service, workflow_service, notification_service, reporting_service;
static const struct av_service *const services[NODES] = {
	&intake_service, &workflow_service, &notification_service, &reporting_service};
const char *const node_names[NODES] = {"intake", "workflow", "notification", "reporting"};

const char *node_path(struct node *n, const char *name)
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
	n->map_bytes = percent(w, 1500) && on(w, KIND_MAPS) ? MAP_LEAST : MAP_DEFAULT;
	n->unfinished = true;
	line_init(&n->queue);
	n->inner_last = &n->inner;
	mutate_service(n);
}

/* --- life --- */

int node_store_open(struct node *n, const char *name, const char **ret_why)
{
	struct av_store_options options = {
		.path = node_path(n, name),
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

/* A disk that fails is no fault of the daemon, as long as it says so. */
static bool opened(struct node *n, int status, const char *what, const char *why)
{
	if ((status == AV_IO || status == AV_FULL) && disk_failed(n))
		return false;
	SIM_EXPECT(n->world, status == AV_OK, "%s: %s: %s %s", n->service.name, what, av_status_name(status),
		why);
	return true;
}

/* What LMDB would meet only when it reads the page. */
static void check_image(struct node *n)
{
	const char *what = "", *data = node_path(n, "data");
	int status = access(data, F_OK) < 0 ? AV_NOT_FOUND : store_image_check(data, true, &what);
	SIM_EXPECT(n->world, status == AV_OK || status == AV_NOT_FOUND || n->unfinished,
		"%s: the power failed, and its store %s", n->service.name, what);
	check_secrets(n);
}

static bool open_parts(struct node *n)
{
	static const unsigned char master[AV_KEY_SIZE] = "the master key of a simulation";
	struct world *w = n->world;
	const char *why = "";
	int status = node_store_open(n, "data", &why);
	if (!opened(n, status, "the store does not open", why))
		return false;
	status = av_keystore_open(node_path(n, "keys"), master, &n->keys_random, &n->keys, &why);
	if (!opened(n, status, "the key store does not open", why))
		return false;
	struct av_turn_options turn = {
		.service = &n->service,
		.store = n->store,
		.keys = n->keys,
		.random = &n->random,
		.instance = w->settings->instance,
		.settings = w->settings,
		.sign_secret = n->sign_secret,
		.grant_public = w->nodes[WORKFLOW].sign_public,
		.marks_path = node_path(n, "marks"),
		.stepped = true,
	};
	if (!opened(n, av_turn_create(&turn, &n->turn), "no turn", ""))
		return false;
	status = av_turn_recover(n->turn, w->now_ms);
	return opened(n, status == AV_FULL ? AV_OK : status, "it does not recover", "");
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

static void node_close(struct node *n)
{
	av_turn_destroy(&n->turn);
	av_keystore_close(&n->keys);
	av_store_close(&n->store);
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
	node_close(n);
	link_drop(n->world, n->number);
	if (disk_is_cut(n)) {
		disk_power_on(n);
		check_image(n);
		if (fault(n->world, KIND_POWER, 5000))
			power_fails(n->world, n);
	}
}

void node_free(struct node *n)
{
	forget_memory(n);
	node_close(n);
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
	bool good = open_parts(n);
	fault_disarm(n->world);
	if (!good || disk_is_cut(n)) {
		node_crash(n);
		return false;
	}
	n->unfinished = false;
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
