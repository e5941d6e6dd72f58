/* daemon.c - plays rows of steps to one daemon, from the same world each time; see daemon.h */
#include "daemon_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libfuzzer.h"

#define NOW "2026-04-07 09:00"
#define MINUTES_MAX (60u * 24 * 400)
#define ROUNDS_MAX 2000

struct fuzz fuzz;
const char *const feed_names[FEEDS] = {"intake", "workflow", "notification"};

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

/* --- an input --- */

void run_steps(const struct step *steps, size_t count)
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
	struct av_id case_id = fuzz.case_id, content_id = fuzz.content_id, measure_id = fuzz.measure_id,
		     deadline_id = fuzz.deadline_id;
	size_t count = steps_read(av_bytes(data, size), steps, STEPS_MAX);
	run_steps(steps, count);
	if (fuzz.damaged || (fuzz.dirty && (size + (size ? data[size - 1] : 0)) % 8 == 0))
		run_look();
	rewind_world();
	fuzz.seen = seen;
	fuzz.case_id = case_id;
	fuzz.content_id = content_id;
	fuzz.measure_id = measure_id;
	fuzz.deadline_id = deadline_id;
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
