/* reporting.c - reporting over a real store: facts in, figures out, each event twice, and the tree that
 * moves. */
#include "harness.h"

#include <string.h>

#include "handlers.h"
#include "reporting_store.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define MEASUREMENT(name) AVVIK__V1__MEASUREMENT__MEASUREMENT_##name
#define KIND(name) AVVIK__V1__CASE_KIND__CASE_KIND_##name
#define SPAN(name) AVVIK__V1__SPAN__SPAN_##name

static struct harness *opened(void)
{
	return harness_open(&reporting_service, harness_at("2026-04-07 09:00"));
}

/* committee > administration > department (west, east) > unit: `under` says where lindhaga hangs */
static Avvik__V1__Event *directory(struct harness *h, const char *under)
{
	const char *const units[][2] = {{"namnd", ""}, {"forvaltning", "namnd"}, {"vast", "forvaltning"},
		{"ost", "forvaltning"}, {"lindhaga", under}};
	Avvik__V1__DirectoryPublished *body =
		AV_NEW(h->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	body->directory = AV_NEW(h->arena, Avvik__V1__Directory, avvik__v1__directory);
	body->directory->version = (char *)"1";
	body->directory->units = av_arena_alloc(h->arena, sizeof(void *) * AV_COUNT(units));
	for (size_t i = 0; i < AV_COUNT(units); i++) {
		Avvik__V1__Unit *unit = AV_NEW(h->arena, Avvik__V1__Unit, avvik__v1__unit);
		unit->code = (char *)units[i][0];
		unit->parent = (char *)units[i][1];
		body->directory->units[body->directory->n_units++] = unit;
	}
	return harness_event(h, EVENT(DIRECTORY_PUBLISHED), &body->base, NULL, 0);
}

static struct av_id id_of(unsigned char last)
{
	struct av_id id = {{0}};
	id.bytes[15] = last;
	return id;
}

static ProtobufCBinaryData data_of(struct harness *h, struct av_id id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, av_arena_copy(h->arena, id.bytes, AV_ID_SIZE)};
}

static Avvik__V1__Event *case_opened(struct harness *h, struct av_id id, const char *unit, int kind)
{
	Avvik__V1__CaseOpened *body = AV_NEW(h->arena, Avvik__V1__CaseOpened, avvik__v1__case_opened);
	body->kind = (Avvik__V1__CaseKind)kind;
	body->unit = (char *)unit;
	body->received_at_ms = harness_at("2026-04-07 08:00");
	return harness_event(h, EVENT(CASE_OPENED), &body->base, &id, 0);
}

static Avvik__V1__Event *deadline_set(struct harness *h, struct av_id id, struct av_id deadline_id)
{
	Avvik__V1__DeadlineSet *body = AV_NEW(h->arena, Avvik__V1__DeadlineSet, avvik__v1__deadline_set);
	body->deadline = AV_NEW(h->arena, Avvik__V1__Deadline, avvik__v1__deadline);
	body->deadline->deadline_id = data_of(h, deadline_id);
	body->deadline->rule = (char *)"D5";
	assert_int_equal(av_day_parse("2026-06-22", &body->deadline->due_on), AV_OK);
	return harness_event(h, EVENT(DEADLINE_SET), &body->base, &id, 0);
}

static Avvik__V1__Event *overdue(struct harness *h, struct av_id id, struct av_id deadline_id)
{
	Avvik__V1__RungFired *body = AV_NEW(h->arena, Avvik__V1__RungFired, avvik__v1__rung_fired);
	body->deadline_id = data_of(h, deadline_id);
	body->kind = AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE;
	return harness_event(h, EVENT(RUNG_FIRED), &body->base, &id, 0);
}

static Avvik__V1__Event *deadline_met(struct harness *h, struct av_id id, struct av_id deadline_id, bool late)
{
	Avvik__V1__DeadlineMet *body = AV_NEW(h->arena, Avvik__V1__DeadlineMet, avvik__v1__deadline_met);
	body->deadline_id = data_of(h, deadline_id);
	body->late = late;
	return harness_event(h, EVENT(DEADLINE_MET), &body->base, &id, 0);
}

static int64_t figure(struct harness *h, const char *unit, int span, const char *period, int measurement,
	int kind, const char *rule)
{
	Avvik__V1__FigureKey key = AVVIK__V1__FIGURE_KEY__INIT;
	struct av_txn *txn = harness_read(h);
	key.unit = (char *)unit;
	key.span = (Avvik__V1__Span)span;
	key.period = (char *)period;
	key.measurement = (Avvik__V1__Measurement)measurement;
	key.kind = (Avvik__V1__CaseKind)kind;
	key.deadline = (char *)rule;
	int64_t value = figure_value(txn, &key);
	av_txn_abort(&txn);
	return value;
}

static void a_case_counts_at_its_unit_and_every_level_above(void **state)
{
	static const char *const levels[] = {"lindhaga", "vast", "forvaltning", "namnd"};
	struct harness *h = opened();
	(void)state;
	assert_int_equal(harness_feed(h, "intake", directory(h, "vast")), AV_OK);
	assert_int_equal(
		harness_feed(h, "workflow", case_opened(h, id_of(1), "lindhaga", KIND(LEX_SARAH))), AV_OK);
	for (size_t i = 0; i < AV_COUNT(levels); i++) {
		assert_int_equal(figure(h, levels[i], SPAN(TERTIAL), "2026-T1", MEASUREMENT(RECEIVED),
					 KIND(LEX_SARAH), ""),
			1);
		assert_int_equal(figure(h, levels[i], SPAN(DAY), "2026-04-07", MEASUREMENT(RECEIVED),
					 KIND(LEX_SARAH), ""),
			1);
		assert_int_equal(
			figure(h, levels[i], SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	}
	assert_int_equal(figure(h, "ost", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 0);
	harness_check_replay(h);
	harness_close(&h);
}

static void the_same_event_under_a_new_sequence_counts_once(void **state)
{
	struct harness *h = opened();
	(void)state;
	harness_feed(h, "intake", directory(h, "vast"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			harness_feed(h, "workflow", case_opened(h, id_of(1), "lindhaga", KIND(DEVIATION))),
			AV_OK);
		assert_int_equal(harness_feed(h, "workflow", deadline_set(h, id_of(1), id_of(9))), AV_OK);
		assert_int_equal(harness_feed(h, "workflow", overdue(h, id_of(1), id_of(9))), AV_OK);
	}
	assert_int_equal(
		figure(h, "namnd", SPAN(YEAR), "2026", MEASUREMENT(RECEIVED), KIND(DEVIATION), ""), 1);
	assert_int_equal(
		figure(h, "namnd", SPAN(YEAR), "2026", MEASUREMENT(DEADLINES_MISSED), KIND(DEVIATION), "D5"),
		1);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_deadline_met_in_time_but_recorded_late_turns_missed_into_met(void **state)
{
	struct harness *h = opened();
	(void)state;
	harness_feed(h, "intake", directory(h, "vast"));
	harness_feed(h, "workflow", case_opened(h, id_of(1), "lindhaga", KIND(LEX_SARAH)));
	harness_feed(h, "workflow", deadline_set(h, id_of(1), id_of(9)));
	assert_int_equal(
		figure(h, "namnd", SPAN(MONTH), "2026-06", MEASUREMENT(DEADLINES_MET), KIND(LEX_SARAH), "D5"),
		0);
	harness_feed(h, "workflow", overdue(h, id_of(1), id_of(9)));
	assert_int_equal(figure(h, "namnd", SPAN(MONTH), "2026-06", MEASUREMENT(DEADLINES_MISSED),
				 KIND(LEX_SARAH), "D5"),
		1);
	harness_feed(h, "workflow", deadline_met(h, id_of(1), id_of(9), false));
	assert_int_equal(figure(h, "namnd", SPAN(MONTH), "2026-06", MEASUREMENT(DEADLINES_MISSED),
				 KIND(LEX_SARAH), "D5"),
		0);
	assert_int_equal(
		figure(h, "namnd", SPAN(MONTH), "2026-06", MEASUREMENT(DEADLINES_MET), KIND(LEX_SARAH), "D5"),
		1);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_case_before_its_directory_is_counted_when_the_directory_comes(void **state)
{
	struct harness *h = opened();
	(void)state;
	assert_int_equal(
		harness_feed(h, "workflow", case_opened(h, id_of(1), "lindhaga", KIND(LEX_SARAH))), AV_OK);
	assert_int_equal(figure(h, "lindhaga", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 0);
	harness_feed(h, "intake", directory(h, "vast"));
	assert_int_equal(figure(h, "lindhaga", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	assert_int_equal(
		figure(h, "namnd", SPAN(DAY), "2026-04-07", MEASUREMENT(RECEIVED), KIND(LEX_SARAH), ""), 1);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_unit_that_moves_takes_its_figures_along(void **state)
{
	struct harness *h = opened();
	(void)state;
	harness_feed(h, "intake", directory(h, "vast"));
	harness_feed(h, "workflow", case_opened(h, id_of(1), "lindhaga", KIND(LEX_SARAH)));
	harness_feed(h, "intake", directory(h, "ost"));
	assert_int_equal(figure(h, "vast", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 0);
	assert_int_equal(figure(h, "ost", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	assert_int_equal(figure(h, "namnd", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	harness_check_replay(h);
	harness_close(&h);
}

static void an_unplaced_case_counts_at_the_committee_and_moves_when_it_is_placed(void **state)
{
	struct harness *h = opened();
	Avvik__V1__CasePlaced *placed = AV_NEW(h->arena, Avvik__V1__CasePlaced, avvik__v1__case_placed);
	struct av_id id = id_of(1);
	(void)state;
	harness_feed(h, "intake", directory(h, "vast"));
	harness_feed(h, "workflow", case_opened(h, id, "", KIND(LEX_SARAH)));
	assert_int_equal(figure(h, "namnd", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	assert_int_equal(figure(h, "lindhaga", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 0);
	placed->unit = (char *)"lindhaga";
	assert_int_equal(
		harness_feed(h, "workflow", harness_event(h, EVENT(CASE_PLACED), &placed->base, &id, 0)),
		AV_OK);
	assert_int_equal(figure(h, "namnd", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	assert_int_equal(figure(h, "lindhaga", SPAN(NOW), "", MEASUREMENT(OPEN), KIND(LEX_SARAH), ""), 1);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_snapshot_shows_only_what_the_principal_may_see(void **state)
{
	static const char *const own[] = {"vast", NULL};
	struct harness *h = opened();
	struct av_principal west = harness_principal("statistics", "consumer", AV_MAY_SUMMARY), all = west;
	Avvik__V1__GetSummary query = AVVIK__V1__GET_SUMMARY__INIT;
	(void)state;
	west.units = own;
	harness_feed(h, "intake", directory(h, "vast"));
	harness_feed(h, "workflow", case_opened(h, id_of(1), "lindhaga", KIND(LEX_SARAH)));

	query.unit = (char *)"lindhaga";
	Avvik__V1__Reply *reply =
		harness_order(h, &west, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_SUMMARY, &query.base);
	harness_want(reply, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	assert_int_equal(reply->summary_found->n_figures, 5); /* received in four spans, and open */

	query.unit = (char *)"namnd";
	harness_want(harness_order(h, &west, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_SUMMARY, &query.base),
		AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FORBIDDEN);
	harness_want(harness_order(h, &all, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_SUMMARY, &query.base),
		AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	query.unit = (char *)"*";
	harness_want(harness_order(h, &all, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_SUMMARY, &query.base),
		AVVIK__V1__REPLY_STATUS__REPLY_STATUS_INVALID);
	harness_close(&h);
}

static void pages_of_a_snapshot_hold_every_figure_once(void **state)
{
	struct harness *h = opened();
	struct av_principal all = harness_principal("statistics", "consumer", AV_MAY_SUMMARY);
	Avvik__V1__GetSummary query = AVVIK__V1__GET_SUMMARY__INIT;
	size_t seen = 0;
	(void)state;
	harness_feed(h, "intake", directory(h, "vast"));
	for (unsigned char i = 1; i <= 8; i++)
		harness_feed(h, "workflow",
			case_opened(h, id_of(i), "lindhaga", i % 2 ? KIND(LEX_SARAH) : KIND(DEVIATION)));
	query.unit = (char *)"lindhaga";
	query.limit = 3;
	for (int page = 0; page < 10; page++) {
		Avvik__V1__Reply *reply =
			harness_order(h, &all, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_SUMMARY, &query.base);
		harness_want(reply, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
		for (size_t i = 0; i < reply->summary_found->n_figures; i++)
			assert_int_equal(reply->summary_found->figures[i]->value, 4);
		seen += reply->summary_found->n_figures;
		query.after = reply->summary_found->next_after;
		if (!query.after)
			break;
	}
	assert_null(query.after);
	assert_int_equal(seen, 10);
	harness_close(&h);
}

/* A case that was taken over counts on its own days. Its deadline was missed there: nothing says so again, and it is
 * met when what it waits for proves to have been done in time. */
static void what_was_missed_before_it_was_taken_over_counts_as_missed(void **state)
{
	Avvik__V1__RungPlanned rung = AVVIK__V1__RUNG_PLANNED__INIT, *rungs[] = {&rung};
	struct harness *h = opened();
	Avvik__V1__Event *set = deadline_set(h, id_of(1), id_of(9)),
			 *taken = case_opened(h, id_of(1), "lindhaga", KIND(LEX_SARAH));

	(void)state;
	harness_feed(h, "intake", directory(h, "vast"));
	taken->case_opened->received_at_ms = harness_at("2025-10-06 08:00");
	assert_int_equal(harness_feed(h, "workflow", taken), AV_OK);
	assert_int_equal(
		figure(h, "namnd", SPAN(YEAR), "2025", MEASUREMENT(RECEIVED), KIND(LEX_SARAH), ""), 1);
	assert_int_equal(
		figure(h, "namnd", SPAN(YEAR), "2026", MEASUREMENT(RECEIVED), KIND(LEX_SARAH), ""), 0);
	rung.kind = AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE;
	rung.passed_over = true;
	set->deadline_set->deadline->rungs = rungs;
	set->deadline_set->deadline->n_rungs = 1;
	assert_int_equal(harness_feed(h, "workflow", set), AV_OK);
	assert_int_equal(
		figure(h, "namnd", SPAN(YEAR), "2026", MEASUREMENT(DEADLINES_MISSED), KIND(LEX_SARAH), "D5"),
		1);
	assert_int_equal(harness_feed(h, "workflow", deadline_met(h, id_of(1), id_of(9), false)), AV_OK);
	assert_int_equal(
		figure(h, "namnd", SPAN(YEAR), "2026", MEASUREMENT(DEADLINES_MISSED), KIND(LEX_SARAH), "D5"),
		0);
	harness_check_replay(h);
	harness_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_counts_at_its_unit_and_every_level_above),
		cmocka_unit_test(the_same_event_under_a_new_sequence_counts_once),
		cmocka_unit_test(a_deadline_met_in_time_but_recorded_late_turns_missed_into_met),
		cmocka_unit_test(what_was_missed_before_it_was_taken_over_counts_as_missed),
		cmocka_unit_test(a_case_before_its_directory_is_counted_when_the_directory_comes),
		cmocka_unit_test(a_unit_that_moves_takes_its_figures_along),
		cmocka_unit_test(an_unplaced_case_counts_at_the_committee_and_moves_when_it_is_placed),
		cmocka_unit_test(a_snapshot_shows_only_what_the_principal_may_see),
		cmocka_unit_test(pages_of_a_snapshot_hold_every_figure_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
