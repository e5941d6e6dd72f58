/* harness.c - see harness.h */
#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "avvik/v1/common.pb-c.h"
#include "base/date.h"
#include "daemon/settings.h"

#define MAP_DEFAULT ((size_t)64 * 1024 * 1024)

/* --- folders --- */

static void remove_tree(const char *path)
{
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char below[512];
		struct stat info;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		if (lstat(below, &info) == 0 && S_ISDIR(info.st_mode))
			remove_tree(below);
		else
			unlink(below);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}

static const char *below(struct harness *h, const char *name)
{
	return av_arena_printf(h->arena, "%s/%s", h->path, name);
}

/* --- opening --- */

static void open_parts(struct harness *h)
{
	const char *why = "";
	struct av_store_options store = {
		.path = below(h, "data"),
		.map_bytes = h->map_bytes,
		.tables = h->service->tables,
		.table_count = h->service->table_count,
		.daemon = h->service->name,
		.instance = h->settings.instance,
		.stepped_clock = true,
		.now_ms = h->now_ms,
	};
	int status = av_store_open(&store, &h->random, &h->store, &why);
	if (status < 0)
		fail_msg("the store does not open: %s (%s)", why, av_status_name(status));
	status = av_keystore_open(below(h, "keys"), h->master, &h->random, &h->keys, &why);
	if (status < 0)
		fail_msg("the key store does not open: %s (%s)", why, av_status_name(status));
	struct av_turn_options turn = {
		.service = h->service,
		.store = h->store,
		.keys = h->keys,
		.random = &h->random,
		.instance = h->settings.instance,
		.settings = &h->settings,
		.sign_secret = h->sign_secret,
		.grant_public = h->grant_public,
		.marks_path = below(h, "marks"),
		.stepped = true,
	};
	assert_int_equal(av_turn_create(&turn, &h->turn), AV_OK);
	assert_int_equal(av_turn_recover(h->turn, h->now_ms), AV_OK);
}

static void close_parts(struct harness *h)
{
	av_turn_destroy(&h->turn);
	av_keystore_close(&h->keys);
	av_store_close(&h->store);
}

struct harness *harness_open_with(const struct harness_options *options)
{
	struct harness *h = calloc(1, sizeof *h);
	const char *temporary = getenv("TMPDIR");
	assert_non_null(h);
	assert_int_equal(av_crypto_start(), AV_OK);
	h->service = options->service;
	h->arena = av_arena_create(0);
	h->random = av_random_seeded(options->seed ? options->seed : 1);
	h->map_bytes = options->map_bytes ? options->map_bytes : MAP_DEFAULT;
	h->now_ms = options->now_ms;
	snprintf(h->path, sizeof h->path, "%s/avvik-test-XXXXXX",
		temporary && *temporary ? temporary : "/tmp");
	assert_non_null(mkdtemp(h->path));
	h->settings =
		options->settings ? *options->settings : *av_settings_default("test", h->path, h->arena);
	av_random_fill(&h->random, h->master, sizeof h->master);
	av_sign_keypair(&h->random, h->sign_public, h->sign_secret);
	av_sign_keypair(&h->random, h->grant_public, h->grant_secret);
	if (strcmp(h->service->name, "workflow") == 0) {
		memcpy(h->grant_public, h->sign_public, sizeof h->grant_public);
		memcpy(h->grant_secret, h->sign_secret, sizeof h->grant_secret);
	}
	h->cache = h->service->cache_create ? h->service->cache_create() : NULL;
	open_parts(h);
	return h;
}

struct harness *harness_open(const struct av_service *service, int64_t now_ms)
{
	struct harness_options options = {.service = service, .now_ms = now_ms};
	return harness_open_with(&options);
}

void harness_close(struct harness **h)
{
	if (!*h)
		return;
	close_parts(*h);
	if ((*h)->cache && (*h)->service->cache_destroy)
		(*h)->service->cache_destroy((*h)->cache);
	remove_tree((*h)->path);
	av_arena_destroy(&(*h)->arena);
	free(*h);
	*h = NULL;
}

void harness_restart_with(struct harness *h, void (*between)(void *context, struct harness *h), void *context)
{
	close_parts(h);
	if (between)
		between(context, h);
	open_parts(h);
}

void harness_restart(struct harness *h)
{
	harness_restart_with(h, NULL, NULL);
}

int64_t harness_at(const char *text)
{
	int64_t instant = 0;
	if (av_instant_parse(text, &instant) != AV_OK)
		fail_msg("not a time: %s", text);
	return instant;
}

struct av_principal harness_principal(const char *name, const char *kind, unsigned int rights)
{
	return (struct av_principal){.name = name, .kind = kind, .rights = rights};
}

/* --- commands --- */

int harness_run(struct harness *h, struct av_item *items, size_t count)
{
	return av_turn_run(h->turn, items, count, h->now_ms, &h->result);
}

static Avvik__V1__Reply *reply_load(struct harness *h, struct av_bytes packed)
{
	ProtobufCMessage *message = NULL;
	struct av_bytes copy = av_bytes(av_arena_copy(h->arena, packed.data, packed.size), packed.size);
	assert_non_null(packed.data);
	assert_int_equal(av_message_load(&avvik__v1__reply__descriptor, copy, h->arena, &message), AV_OK);
	return (Avvik__V1__Reply *)message;
}

static Avvik__V1__Reply *query(struct harness *h, const struct av_principal *principal, struct av_bytes wire)
{
	Avvik__V1__Command *command;
	const struct av_command_row *row;
	struct av_bytes reply;
	struct av_ctx ctx = {
		.now_ms = h->now_ms,
		.arrived_at_ms = h->now_ms,
		.arena = h->arena,
		.random = &h->random,
		.keys = h->keys,
		.instance = h->settings.instance,
		.settings = &h->settings,
		.cache = h->cache,
		.sign_public = h->sign_public,
		.principal = principal,
	};
	if (av_command_decode(h->service, wire, principal, h->arena, &command, &row, &reply) != AV_OK)
		return reply_load(h, reply);
	assert_int_equal(av_txn_begin_read(h->store, &ctx.txn), AV_OK);
	reply = av_query_run(h->service, command, &ctx);
	Avvik__V1__Reply *loaded = reply_load(h, reply);
	av_txn_abort(&ctx.txn);
	return loaded;
}

Avvik__V1__Reply *harness_wire(struct harness *h, const struct av_principal *principal, struct av_bytes wire)
{
	const struct av_command_row *row = NULL;
	if (av_command_peek(h->service, wire, &row) == AV_OK && row && row->kind == AV_QUERY)
		return query(h, principal, wire);
	struct av_item item = {
		.kind = AV_ITEM_COMMAND, .arrived_at_ms = h->now_ms, .wire = wire, .principal = principal};
	(void)harness_run(h, &item, 1); /* FULL has its reply too, ignoring */
	return reply_load(h, item.reply);
}

Avvik__V1__Reply *harness_command(
	struct harness *h, const struct av_principal *principal, const Avvik__V1__Command *command)
{
	struct av_bytes wire = av_message_pack(&command->base, h->arena);
	assert_non_null(wire.data);
	return harness_wire(h, principal, wire);
}

Avvik__V1__Reply *harness_order(struct harness *h, const struct av_principal *principal,
	const char *reference, const char *person, unsigned int number, ProtobufCMessage *body)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	if (reference)
		command.reference = (char *)(uintptr_t)reference;
	if (person)
		command.on_behalf_of = (char *)(uintptr_t)person;
	av_body_set(&command.base, number, body);
	return harness_command(h, principal, &command);
}

void harness_want(const Avvik__V1__Reply *reply, Avvik__V1__ReplyStatus want)
{
	if (reply->status == want)
		return;
	print_error("reply: %s\n", reply->text);
	for (size_t i = 0; i < reply->n_faults; i++)
		print_error("  %s: %s\n", reply->faults[i]->path, reply->faults[i]->text);
	fail_msg("got %s, want %s", av_enum_name(&avvik__v1__reply_status__descriptor, reply->status),
		av_enum_name(&avvik__v1__reply_status__descriptor, want));
}

/* --- time --- */

int64_t harness_next_due(struct harness *h)
{
	if (!h->service->next_due)
		return 0;
	struct av_txn *txn = harness_read(h);
	int64_t due = h->service->next_due(txn);
	av_txn_abort(&txn);
	return due;
}

size_t harness_tick(struct harness *h, int64_t now_ms)
{
	size_t events = 0;
	bool more = true;
	h->now_ms = now_ms;
	for (int i = 0; more; i++) {
		struct av_item item = {.kind = AV_ITEM_DUE, .arrived_at_ms = now_ms};
		if (i == 10000)
			fail_msg("due work has no end");
		assert_int_equal(harness_run(h, &item, 1), AV_OK);
		if (item.status < 0)
			fail_msg("due work failed: %s", av_status_name(item.status));
		events += h->result.events;
		more = item.more;
	}
	return events;
}

size_t harness_advance(struct harness *h, int64_t until_ms)
{
	size_t events = 0;
	for (int64_t due; (due = harness_next_due(h)) > 0 && due <= until_ms;) {
		events += harness_tick(h, AV_MAX(due, h->now_ms));
		if (harness_next_due(h) == due)
			fail_msg("what was due stays due");
	}
	h->now_ms = until_ms;
	return events;
}

int harness_inner(struct harness *h, unsigned int kind, struct av_bytes data)
{
	struct av_item item = {
		.kind = AV_ITEM_INNER, .arrived_at_ms = h->now_ms, .inner_kind = kind, .wire = data};
	int status = harness_run(h, &item, 1);
	return status < 0 ? status : item.status;
}

void harness_upkeep(struct harness *h)
{
	int status;
	while ((status = av_turn_upkeep(h->turn, h->now_ms)) == AV_OK)
		;
	assert_int_equal(status, AV_NOTHING);
}

/* --- looking --- */

struct av_txn *harness_read(struct harness *h)
{
	struct av_txn *txn;
	assert_int_equal(av_txn_begin_read(h->store, &txn), AV_OK);
	return txn;
}

uint64_t harness_head(struct harness *h)
{
	struct av_position head;
	struct av_txn *txn = harness_read(h);
	assert_int_equal(av_journal_head(txn, &head), AV_OK);
	av_txn_abort(&txn);
	return head.sequence;
}

Avvik__V1__Event *harness_at_sequence(struct harness *h, uint64_t sequence)
{
	struct av_bytes packed;
	ProtobufCMessage *event = NULL;
	struct av_txn *txn = harness_read(h);
	if (av_journal_read(txn, sequence, &packed, NULL) == AV_OK)
		assert_int_equal(
			av_message_load(&avvik__v1__event__descriptor, packed, h->arena, &event), AV_OK);
	av_txn_abort(&txn);
	return (Avvik__V1__Event *)event;
}

Avvik__V1__Event *harness_last(struct harness *h, unsigned int number)
{
	for (uint64_t sequence = harness_head(h); sequence > 0; sequence--) {
		Avvik__V1__Event *event = harness_at_sequence(h, sequence);
		if (!number || (unsigned int)event->body_case == number)
			return event;
	}
	return NULL;
}

size_t harness_count(struct harness *h, unsigned int number, uint64_t after)
{
	size_t count = 0;
	uint64_t head = harness_head(h);
	for (uint64_t sequence = after + 1; sequence <= head; sequence++) {
		Avvik__V1__Event *event = harness_at_sequence(h, sequence);
		count += !number || (unsigned int)event->body_case == number;
	}
	return count;
}

void harness_fingerprint(struct harness *h, unsigned char ret_hash[32])
{
	struct av_txn *txn = harness_read(h);
	memset(ret_hash, 0, 32);
	for (unsigned int table = 0; av_store_table(h->store, table); table++) {
		struct av_iter it = av_iter(txn, table, av_bytes(NULL, 0), av_bytes(NULL, 0));
		while (av_iter_next(&it)) {
			unsigned char head[12];
			av_put_u32(head, table);
			av_put_u32(head + 4, (uint32_t)it.key.size);
			av_put_u32(head + 8, (uint32_t)it.value.size);
			struct av_bytes pieces[] = {
				av_bytes(ret_hash, 32), av_bytes(head, sizeof head), it.key, it.value};
			av_hash_pieces(pieces, AV_COUNT(pieces), ret_hash);
		}
		av_iter_end(&it);
	}
	av_txn_abort(&txn);
}

static void say(void *context, bool good, const char *line)
{
	AV_UNUSED(context);
	if (!good)
		print_error("%s\n", line);
}

void harness_check_replay(struct harness *h)
{
	const char *scratch = below(h, "replay");
	int status = av_verify(h->service, h->store, scratch, h->sign_public, say, NULL);
	remove_tree(scratch);
	if (status != AV_OK)
		fail_msg("the journal does not give what the store holds: %s", av_status_name(status));
}
