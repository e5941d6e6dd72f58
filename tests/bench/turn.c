/* turn.c - what whole turns of reports cost the writer thread: intake's handlers over a real store, in process, without sockets.
 *
 *	bench_turn [TURNS [REPORTS]]
 *
 * Prints processor time and time in the commit, microseconds a report, over TURNS turns of REPORTS reports each (300 and 111).
 * The store lies under TMPDIR: in memory (/dev/shm) the processor time alone is left. For counts of instructions, which no
 * neighbour disturbs: valgrind --tool=callgrind --toggle-collect=av_turn_run bench_turn 20
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "intake_world.h"

#define MAP_BYTES ((size_t)8 << 30)

static size_t turns, reports;

static double thread_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* As tests/bench/peers/peer_zmq.c sends them: about 1 KiB. */
static struct av_bytes command(struct av_arena *arena, int64_t now_ms, unsigned int number)
{
	static char text[900];
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL};
	Avvik__V1__Command made = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;

	memset(text, 'a', sizeof text - 90);
	made.reference = av_arena_printf(arena, "bench-0-%08u", number);
	made.message_id = av_arena_printf(arena, "%u", number);
	made.sent_at_ms = now_ms;
	made.body_case = COMMAND(FILE_REPORT);
	made.file_report = &report;
	report.type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	report.unit = TEXT(LEAF);
	report.concerns = AVVIK__V1__CONCERNS__CONCERNS_ONE_PERSON;
	report.occurred_from_at_ms = now_ms - 7200000;
	report.noticed_at_ms = now_ms - 3600000;
	report.channel = AVVIK__V1__CHANNEL__CHANNEL_SYSTEM;
	report.laws = laws;
	report.n_laws = 1;
	report.category = TEXT("UTF");
	report.narrative = &narrative;
	report.reporter = &reporter;
	reporter.name = TEXT("Provrapportör Ett");
	reporter.role = TEXT("undersköterska");
	reporter.mail = TEXT("prov@lindaker.example");
	narrative.description = text;
	return av_message_pack(&made.base, arena);
}

static void measure(void **state)
{
	struct harness_options options = {
		.service = &intake_service, .now_ms = harness_at(NOW), .map_bytes = MAP_BYTES};
	struct world world = {.publisher = harness_principal("lifecare", "publisher", AV_MAY_PUBLISH),
		.administrator = harness_principal("admin", "administrator", AV_MAY_ADMINISTER)};
	struct world *w = &world;
	struct av_arena *arena = av_arena_create(0);
	struct av_item *items = calloc(reports, sizeof *items);
	double cpu = 0, commit = 0;
	unsigned int number = 0;

	AV_UNUSED(state);
	assert_true(turns > 0 && reports > 0 && arena && items);
	w->h = harness_open_with(&options);
	w->h->random = av_random_system();
	world_publish(w);
	for (size_t turn = 0; turn < turns; turn++) {
		av_arena_reset(arena);
		w->h->now_ms += 2;
		for (size_t i = 0; i < reports; i++)
			items[i] = (struct av_item){.kind = AV_ITEM_COMMAND,
				.arrived_at_ms = w->h->now_ms,
				.wire = command(arena, w->h->now_ms, number++),
				.principal = &w->publisher};
		double before = thread_us();
		assert_int_equal(harness_run(w->h, items, reports), AV_OK);
		cpu += thread_us() - before;
		commit += (double)w->h->result.commit_us;
		assert_int_equal(w->h->result.events, reports);
		if (w->h->result.keys_low)
			harness_upkeep(w->h);
	}
	double all = (double)(turns * reports);
	printf("a turn of %zu reports: %.2f µs of processor a report, %.2f µs in the commit\n", reports,
		cpu / all, commit / all);
	harness_close(&w->h);
	free(items);
	av_arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(measure)};
	turns = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
	reports = argc > 2 ? strtoul(argv[2], NULL, 10) : 111;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
