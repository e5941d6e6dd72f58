/* deadlines.c - workflow's own turns over a store with so many open cases, three deadlines each: what a tick
 * costs with nothing due, how long turns last when many are due at once and when a calendar change plans all
 * of them anew, and how fast the journal is replayed.
 *
 *	bench_deadlines CASES		one line of JSON
 *
 * The rule pack is the project's, with one more deadline from the receipt, and none so short that it falls due
 * while the cases are filed. They were received on ten days, through the day, so that a tenth of them warns at
 * the same instant.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/yaml.h"
#include "workflow.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define DAYS 10
#define AT_ONCE 100
#define OFFICE_MS INT64_C(28800000)
#define TICKS 2000
#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct harness *h;

static ProtobufCMessage *file_read(const char *path, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = NULL;
	struct av_yaml *yaml = NULL;
	struct av_faults faults;

	av_faults_init(&faults, h->arena);
	if (av_yaml_open_file(path, &faults, &yaml) != AV_OK ||
		av_yaml_to(yaml, type, h->arena, &faults, &message) != AV_OK)
		fail_msg("%s does not load", path);
	av_yaml_close(&yaml);
	return message;
}

static ProtobufCBinaryData hash_of(const ProtobufCMessage *message)
{
	struct av_bytes packed = av_message_pack(message, h->arena);
	unsigned char *hash = av_arena_alloc(h->arena, 32);

	av_hash_pieces(&packed, 1, hash);
	return (ProtobufCBinaryData){32, hash};
}

static void give(unsigned int number, ProtobufCMessage *body)
{
	if (harness_feed(h, "intake", harness_event(h, number, body, NULL, 0)) != AV_OK)
		fail_msg("what is published does not arrive");
}

static void publish_directory(void)
{
	Avvik__V1__DirectoryPublished body = AVVIK__V1__DIRECTORY_PUBLISHED__INIT;

	body.directory = (Avvik__V1__Directory *)file_read(DIRECTORY, &avvik__v1__directory__descriptor);
	body.hash = hash_of(&body.directory->base);
	give(EVENT(DIRECTORY_PUBLISHED), &body.base);
}

/* Three deadlines from the receipt of a lex Sarah report: 30, 45 and 60 days. */
static void publish_rules(const char *version, size_t closed_days)
{
	Avvik__V1__RulesPublished body = AVVIK__V1__RULES_PUBLISHED__INIT;
	Avvik__V1__RulePack *rules =
		(Avvik__V1__RulePack *)file_read(RULES, &avvik__v1__rule_pack__descriptor);
	Avvik__V1__DeadlineRule **deadlines =
		av_arena_alloc(h->arena, (rules->n_deadlines + 1) * sizeof(*deadlines));
	static const char *const dates[] = {
		"2026-04-01", "2026-04-02", "2026-04-15", "2026-04-16", "2026-04-30", "2026-05-04"};

	for (size_t i = 0; i < rules->n_deadlines; i++) {
		deadlines[i] = rules->deadlines[i];
		if (strcmp(deadlines[i]->id, "D2") == 0) {
			deadlines[i]->count = 45;
			deadlines[i]->unit = AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_DAYS;
		} else if (strcmp(deadlines[i]->id, "D3") == 0) {
			deadlines[rules->n_deadlines] =
				av_arena_copy(h->arena, deadlines[i], sizeof(**deadlines));
			deadlines[rules->n_deadlines]->id = TEXT("D3B");
			deadlines[rules->n_deadlines]->count = 60;
		}
		deadlines[i]->moved = true;
	}
	rules->deadlines = deadlines;
	rules->n_deadlines++;
	rules->version = TEXT(version);
	rules->closures_on = av_arena_alloc(h->arena, AV_COUNT(dates) * sizeof(*rules->closures_on));
	for (size_t i = 0; i < closed_days; i++)
		assert_int_equal(av_day_parse(dates[i], &rules->closures_on[i]), AV_OK);
	rules->n_closures_on = closed_days;
	body.rules = rules;
	body.hash = hash_of(&rules->base);
	give(EVENT(RULES_PUBLISHED), &body.base);
}

static Avvik__V1__Event *report(size_t number, int64_t received_at_ms)
{
	Avvik__V1__ReportFiled *filed = AV_NEW(h->arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	Avvik__V1__ContentRef *ref = AV_NEW(h->arena, Avvik__V1__ContentRef, avvik__v1__content_ref);
	static const char *const units[] = {"lindhaga", "hemtjanst-norr"};
	static Avvik__V1__ContentPart parts[] = {AVVIK__V1__CONTENT_PART__CONTENT_PART_NARRATIVE};
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL};
	struct av_id_source ids = {0};
	struct av_id id = av_id_next(&ids, received_at_ms, &h->random);

	filed->report_id = id_data(&id, h->arena);
	filed->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH;
	filed->unit = TEXT(units[number % AV_COUNT(units)]);
	filed->received_at_ms = received_at_ms;
	filed->n_laws = 1;
	filed->laws = laws;
	filed->category = TEXT("UTF");
	filed->principal = TEXT("care");
	filed->reporter_named = true;
	ref->content_id = filed->report_id;
	ref->commitment = (ProtobufCBinaryData){32, av_arena_zalloc(h->arena, 32)};
	ref->n_parts = 1;
	ref->parts = parts;
	filed->content = ref;
	return harness_event(h, EVENT(REPORT_FILED), &filed->base, &id, received_at_ms);
}

static double file_cases(size_t cases)
{
	Avvik__V1__Event *events[AT_ONCE];
	int64_t first_ms = harness_at("2026-03-02 09:00"), started_us = av_clock_monotonic_us();

	for (size_t at = 0; at < cases;) {
		size_t count = 0, day = at * DAYS / cases;
		h->now_ms = first_ms + (int64_t)day * AV_DAY_MS +
			    (int64_t)(at * DAYS % cases) * OFFICE_MS / (int64_t)cases;
		for (; count < AT_ONCE && at < cases && at * DAYS / cases == day; count++, at++)
			events[count] = report(at, h->now_ms);
		if (harness_feed_batch(h, "intake", events, count) != AV_OK)
			fail_msg("reports do not arrive");
	}
	return (double)(av_clock_monotonic_us() - started_us) / 1e6;
}

/* --- turns --- */

struct turns {
	size_t count, events;
	int64_t total_us, longest_us, longest_two_us, commits_us;
};

/* Turns with what is due until there is no more. A command waits for the turn that is under way and for its
 * own. */
static struct turns run_due(const char *now)
{
	struct turns turns = {0};
	int64_t before_us = 0;
	bool more = true;

	h->now_ms = harness_at(now);
	while (more) {
		struct av_item item = {.kind = AV_ITEM_DUE, .arrived_at_ms = h->now_ms};
		int64_t started_us = av_clock_monotonic_us(), took_us;

		if (harness_run(h, &item, 1) != AV_OK || item.status < 0)
			fail_msg("due work fails");
		took_us = av_clock_monotonic_us() - started_us;
		turns.count++;
		turns.events += h->result.events;
		turns.total_us += took_us;
		turns.commits_us += h->result.commit_us;
		turns.longest_us = AV_MAX(turns.longest_us, took_us);
		turns.longest_two_us = AV_MAX(turns.longest_two_us, before_us + took_us);
		before_us = took_us;
		more = item.more;
	}
	return turns;
}

static double tick_with_nothing_due(void)
{
	int64_t started_us;
	struct turns turns;

	h->now_ms = harness_at("2026-03-11 18:00");
	started_us = av_clock_monotonic_us();
	for (int i = 0; i < TICKS; i++) {
		turns = run_due("2026-03-11 18:00");
		if (turns.events || harness_next_due(h) != harness_at("2026-03-12 08:00"))
			fail_msg("something is due");
	}
	return (double)(av_clock_monotonic_us() - started_us) / TICKS;
}

static size_t count_of(unsigned int table)
{
	struct av_txn *txn = harness_read(h);
	size_t count = av_table_count(txn, table);
	av_txn_abort(&txn);
	return count;
}

static struct turns go_over(const char *version, const char *now)
{
	struct av_principal admin = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	Avvik__V1__ApplyRules order = AVVIK__V1__APPLY_RULES__INIT;

	order.version = TEXT(version);
	order.reason = TEXT("mätning");
	harness_want(
		harness_order(h, &admin, version, NULL, AVVIK__V1__COMMAND__BODY_APPLY_RULES, &order.base),
		AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	return run_due(now);
}

/* --- the journal --- */

static struct av_store *scratch_open(const char *name)
{
	struct av_store *store = NULL;
	const char *why = "";
	struct av_store_options options = {.path = av_arena_printf(h->arena, "%s/%s", h->path, name),
		.map_bytes = h->map_bytes,
		.tables = h->service->tables,
		.table_count = h->service->table_count,
		.daemon = h->service->name,
		.instance = "replay",
		.stepped_clock = true};

	if (av_store_open(&options, &h->random, &store, &why) != AV_OK)
		fail_msg("%s", why);
	return store;
}

static double replay(void)
{
	struct av_store *to = scratch_open("replay");
	int64_t started_us = av_clock_monotonic_us();
	uint64_t sequence = 0;

	if (av_replay(h->service, h->store, to, &sequence) != AV_OK)
		fail_msg("event %llu is not applied", (unsigned long long)sequence);
	double seconds = (double)(av_clock_monotonic_us() - started_us) / 1e6;
	av_store_close(&to);
	return seconds;
}

/* Beside it: the same events read and decoded, and their bytes put into an empty table, a commit for each
 * thousand. */
static double replay_floor(uint64_t head)
{
	struct av_store *to = scratch_open("floor");
	struct av_arena *arena = av_arena_create(0);
	int64_t started_us = av_clock_monotonic_us();

	for (uint64_t at = 0; at < head;) {
		struct av_txn *in = harness_read(h), *out = NULL;
		assert_int_equal(av_txn_begin_write(to, &out), AV_OK);
		for (int i = 0; i < 1000 && at < head; i++) {
			ProtobufCMessage *message;
			struct av_bytes packed;
			unsigned char key[8];
			av_arena_reset(arena);
			assert_int_equal(av_journal_read(in, ++at, &packed, NULL), AV_OK);
			assert_int_equal(
				av_message_load(&avvik__v1__event__descriptor, packed, arena, &message),
				AV_OK);
			av_put_u64(key, at);
			av_put(out, AV_TABLE_OWN, av_bytes(key, sizeof(key)), packed);
		}
		av_txn_abort(&in);
		assert_int_equal(av_txn_commit(&out), AV_OK);
	}
	double seconds = (double)(av_clock_monotonic_us() - started_us) / 1e6;
	av_arena_destroy(&arena);
	av_store_close(&to);
	return seconds;
}

static void print_turns(const char *name, const struct turns *turns)
{
	printf("\"%s\": {\"turns\": %zu, \"events\": %zu, \"seconds\": %.4f, \"longest_ms\": %.1f, "
	       "\"longest_two_ms\": %.1f, \"commits\": %.4f}, ",
		name, turns->count, turns->events, (double)turns->total_us / 1e6,
		(double)turns->longest_us / 1e3, (double)turns->longest_two_us / 1e3,
		(double)turns->commits_us / 1e6);
}

int main(int argc, char **argv)
{
	size_t cases = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct harness_options options = {.service = &workflow_service, .map_bytes = (size_t)16 << 30};

	if (cases < DAYS) {
		fprintf(stderr, "usage: bench_deadlines CASES\n");
		return 2;
	}
	options.now_ms = harness_at("2026-03-02 08:00");
	h = harness_open_with(&options);
	harness_upkeep(h);
	publish_directory();
	publish_rules("bench-1", 0);
	printf("{\"cases\": %zu, \"filed_seconds\": %.3f, ", cases, file_cases(cases));
	printf("\"deadlines\": %zu, ", count_of(TABLE_DUE));
	printf("\"tick_us\": %.2f, ", tick_with_nothing_due());
	struct turns turns = run_due("2026-03-12 08:00");
	print_turns("at_once", &turns);
	publish_rules("bench-2", 6);
	turns = go_over("bench-2", "2026-03-12 09:00");
	print_turns("calendar", &turns);
	publish_rules("bench-3", 3);
	turns = go_over("bench-3", "2026-03-12 10:00");
	print_turns("calendar_again", &turns);
	uint64_t head = harness_head(h);
	printf("\"journal\": %llu, \"floor_seconds\": %.3f, ", (unsigned long long)head, replay_floor(head));
	printf("\"replay_seconds\": %.3f}\n", replay());
	harness_close(&h);
	return 0;
}
