/* workflow_ledgers.c - deadlines that stand still, go on, get more time, or give their place to another */
#include "workflow_world.h"

#include <string.h>

static Avvik__V1__Reply *stop(struct world *w, const char *person, const struct av_id *id, const char *rule,
	const char *reason, const char *acted)
{
	Avvik__V1__StopDeadline body = AVVIK__V1__STOP_DEADLINE__INIT;
	body.deadline_id = world_deadline(w, id, rule)->deadline_id;
	body.reason = TEXT(reason);
	body.motive = TEXT("väntar på svar");
	return world_act(w, person, id, ACT(STOP_DEADLINE), &body.base, acted);
}

static Avvik__V1__Reply *resume(struct world *w, const char *person, const struct av_id *id, const char *rule)
{
	Avvik__V1__ResumeDeadline body = AVVIK__V1__RESUME_DEADLINE__INIT;
	body.deadline_id = world_deadline(w, id, rule)->deadline_id;
	body.motive = TEXT("svaret har kommit");
	return world_act(w, person, id, ACT(RESUME_DEADLINE), &body.base, NULL);
}

static Avvik__V1__Reply *extend(
	struct world *w, const char *person, const struct av_id *id, const char *rule, uint32_t count)
{
	Avvik__V1__ExtendDeadline body = AVVIK__V1__EXTEND_DEADLINE__INIT;
	body.deadline_id = world_deadline(w, id, rule)->deadline_id;
	body.count = count;
	body.motive = TEXT("enligt överenskommelse");
	return world_act(w, person, id, ACT(EXTEND_DEADLINE), &body.base, NULL);
}

static void what_stands_still_says_nothing_and_goes_on_where_it_was(void **state)
{
	Avvik__V1__Deadline *d3;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w)); /* D3: 30 days, to 7 May; reminders on 17 and 29 April */
	harness_advance(w.h, harness_at("2026-04-14 10:00"));
	harness_want(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(DONE));
	d3 = world_deadline(&w, &id, "D3");
	assert_int_equal(d3->state, ENDED(STOPPED));
	assert_int_equal(d3->n_stops, 1);
	harness_advance(w.h, harness_at("2026-06-01 10:00")); /* past the day it would have been due */
	assert_false(world_deadline(&w, &id, "D3")->overdue);
	for (size_t i = 0; i < world_deadline(&w, &id, "D3")->n_rungs; i++)
		assert_int_equal(world_deadline(&w, &id, "D3")->rungs[i]->fired_at_ms, 0);

	harness_want(resume(&w, "sara", &id, "D3"), REPLY(DONE));
	d3 = world_deadline(&w, &id, "D3");
	assert_int_equal(d3->state, ENDED(RUNNING));
	world_want_day(d3->due_on, "2026-06-24"); /* 48 days later */
	world_want_instant(d3->rungs[0]->at_ms, "2026-06-04T08:00:00+02:00");
	harness_advance(w.h, harness_at("2026-06-25 09:00"));
	d3 = world_deadline(&w, &id, "D3");
	for (size_t i = 0; i < 3; i++) /* two reminders, overdue */
		assert_true(d3->rungs[i]->fired_at_ms == d3->rungs[i]->at_ms);
	assert_true(d3->overdue);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_stop_is_refused_by_name_with_what_would_satisfy_it(void **state)
{
	struct world w;
	struct av_id id, deviation;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	deviation = world_file(&w, world_deviation(&w));
	world_want_fault(stop(&w, "anna", &id, "D3", "vantar_komplettering", NULL), REPLY(FORBIDDEN), "role");
	world_want_fault(stop(&w, "sara", &id, "D3", "lata", NULL), REPLY(INVALID), "stop reasons");
	world_want_fault(
		stop(&w, "sara", &id, "D3", "vantar_ivo", NULL), REPLY(WRONG_STATE), "deadline_fixed:");
	world_want_fault(stop(&w, "sara", &id, "D2", "vantar_komplettering", NULL), REPLY(WRONG_STATE),
		"deadline_fixed:");
	world_want_fault(resume(&w, "sara", &id, "D3"), REPLY(WRONG_STATE), "deadline_running:");
	world_want_fault(extend(&w, "sara", &id, "D3", 1), REPLY(WRONG_STATE), "deadline_extension:");
	world_want_fault(
		extend(&w, "alf", &deviation, "DEV1", 11), REPLY(WRONG_STATE), "deadline_extension:");
	Avvik__V1__StopDeadline unknown = AVVIK__V1__STOP_DEADLINE__INIT;
	unknown.deadline_id = world_deadline(&w, &deviation, "DEV1")->deadline_id; /* of another case */
	unknown.reason = TEXT("vantar_komplettering");
	unknown.motive = TEXT("väntar");
	world_want_fault(world_act(&w, "sara", &id, ACT(STOP_DEADLINE), &unknown.base, NULL), REPLY(INVALID),
		"deadline_unknown:");

	harness_want(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(DONE));
	world_want_fault(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(WRONG_STATE),
		"deadline_stopped:");
	harness_advance(w.h, harness_at("2026-04-10 09:00"));
	harness_want(resume(&w, "sara", &id, "D3"), REPLY(DONE));
	world_want_fault(stop(&w, "sara", &id, "D3", "vantar_komplettering", "2026-04-08 09:00"),
		REPLY(INVALID), "deadline_early:");
	harness_advance(w.h, harness_at("2026-07-01 09:00"));
	world_want_fault(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(WRONG_STATE),
		"deadline_past:");
	world_investigate(&w, &id);
	world_want_fault(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(WRONG_STATE),
		"deadline_ended:");
	harness_check_replay(w.h);
	world_close(&w);
}

static void more_time_is_given_as_far_as_the_rule_allows(void **state)
{
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-04-21");
	harness_want(extend(&w, "alf", &id, "DEV1", 4), REPLY(DONE));
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-04-27");
	assert_int_equal(world_deadline(&w, &id, "DEV1")->extended, 4);
	harness_want(extend(&w, "alf", &id, "DEV1", 6), REPLY(DONE));
	world_want_fault(extend(&w, "alf", &id, "DEV1", 1), REPLY(WRONG_STATE), "deadline_extension:");
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-05-06");
	assert_int_equal(harness_count(w.h, EVENT(DEADLINE_REPLANNED), 0), 2);
	harness_check_replay(w.h);
	world_close(&w);
}

/* What has been said of a day is said of the new day too: by another deadline, since each rung fires once. */
static void a_day_that_has_been_spoken_of_gives_its_place_to_another(void **state)
{
	Avvik__V1__Deadline *now;
	Avvik__V1__DeadlineCancelled *gone;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	harness_advance(w.h, harness_at("2026-04-23 09:00")); /* overdue since the 22nd, and said */
	harness_want(extend(&w, "alf", &id, "DEV1", 10), REPLY(DONE));
	gone = harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled;
	assert_int_equal(gone->because, AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED);
	assert_true(gone->overdue_fired);
	assert_int_equal(world_deadlines(&w, &id), 3); /* DEV2, too */
	now = harness_last(w.h, EVENT(DEADLINE_SET))->deadline_set->deadline;
	assert_memory_equal(now->deadline_id.data, gone->superseded_by.data, AV_ID_SIZE);
	assert_memory_equal(now->supersedes.data, gone->deadline_id.data, AV_ID_SIZE);
	world_want_day(now->due_on, "2026-05-06");
	for (size_t i = 0; i < now->n_rungs; i++)
		assert_int_equal(now->rungs[i]->fired_at_ms, 0);
	harness_advance(w.h, harness_at("2026-05-07 09:00"));
	assert_int_equal(
		harness_count(w.h, EVENT(RUNG_FIRED), 0), 5); /* reminder and overdue, of each; DEV2 */
	harness_check_replay(w.h);
	world_close(&w);
}

static void facts_stop_a_deadline_and_let_it_go_on(void **state)
{
	Avvik__V1__StopRule by_ivo = AVVIK__V1__STOP_RULE__INIT, *stops[1] = {&by_ivo};
	Avvik__V1__RulePack *rules;
	struct world w;
	struct av_id id;
	uint64_t version;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	rules = world_rules(&w);
	by_ivo.reason = TEXT("vantar_ivo");
	by_ivo.from = AVVIK__V1__ANCHOR__ANCHOR_SERIOUS;
	by_ivo.until = AVVIK__V1__ANCHOR__ANCHOR_NOTIFIED;
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, "D3") == 0) {
			rules->deadlines[i]->stops = stops;
			rules->deadlines[i]->n_stops = 1;
		}
	world_publish_changed(&w, rules);
	id = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-09 10:00"));
	version = world_case(&w, &id)->version;
	/* The act and the stop are two events of the case, and the reply says the version after both. */
	assert_int_equal(world_find_serious(&w, &id)->version, version + 2);
	assert_int_equal(world_case(&w, &id)->version, version + 2);
	assert_int_equal(world_deadline(&w, &id, "D3")->state, ENDED(STOPPED));
	assert_string_equal(world_deadline(&w, &id, "D3")->stops[0]->reason, "vantar_ivo");
	harness_advance(w.h, harness_at("2026-04-13 10:00"));
	world_notify(&w, &id, false);
	assert_int_equal(world_deadline(&w, &id, "D3")->state, ENDED(RUNNING));
	world_want_day(world_deadline(&w, &id, "D3")->due_on, "2026-05-11");
	harness_check_replay(w.h);
	world_close(&w);
}

/* Met while it stands still is met in time; closed while it stands still ends it. */
static void what_stands_still_can_end(void **state)
{
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	harness_want(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(DONE));
	harness_advance(w.h, harness_at("2026-07-01 09:00"));
	world_investigate(&w, &id);
	assert_int_equal(world_deadline(&w, &id, "D3")->state, ENDED(MET));
	assert_true(world_deadline(&w, &id, "D3")->stops[0]->until_ms == w.h->now_ms);
	harness_check_replay(w.h);
	world_close(&w);
}

/* Found serious on the 9th, and told earlier than the decision that was recorded first: the earlier holds. */
static void an_earlier_anchor_takes_the_place_of_a_later_one(void **state)
{
	Avvik__V1__DeadlineRule *d4 = NULL;
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	Avvik__V1__RulePack *rules;
	struct world w;
	struct av_id id;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	rules = world_rules(&w);
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, "D4") == 0)
			d4 = rules->deadlines[i];
	assert_non_null(d4);
	d4->starts = AVVIK__V1__ANCHOR__ANCHOR_REMEDIED; /* a fact that may be told several times */
	world_publish_changed(&w, rules);
	id = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-13 10:00"));
	remedy.text = TEXT("lagat");
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, NULL);
	world_want_day(world_deadline(&w, &id, "D4")->due_on, "2026-04-14");
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, NULL); /* later: nothing moves */
	assert_int_equal(harness_count(w.h, EVENT(DEADLINE_SET), 0), 3);
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, "2026-04-08 09:00");
	world_want_day(harness_last(w.h, EVENT(DEADLINE_SET))->deadline_set->deadline->due_on, "2026-04-09");
	assert_int_equal(harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled->because,
		AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED);
	harness_tick(w.h, w.h->now_ms); /* what the new one is late with is said once, late */
	assert_true(harness_last(w.h, EVENT(RUNG_FIRED))->rung_fired->late);
	assert_string_equal(harness_last(w.h, EVENT(RUNG_FIRED))->rung_fired->rule, "D4");
	harness_check_replay(w.h);
	world_close(&w);
}

static void why_tells_stops_and_what_is_used(void **state)
{
	Avvik__V1__GetWhy get = AVVIK__V1__GET_WHY__INIT;
	Avvik__V1__Reply *reply;
	const Avvik__V1__Why *why;
	struct world w;
	struct av_id id;
	uint32_t stopped = 0, counted = 0;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-14 10:00"));
	harness_want(stop(&w, "sara", &id, "D3", "vantar_komplettering", NULL), REPLY(DONE));
	get.case_id = BINARY(id);
	get.rule = TEXT("D3");
	harness_advance(w.h, harness_at("2026-04-20 10:00"));
	reply = world_ask(&w, COMMAND(GET_WHY), &get.base);
	harness_want(reply, REPLY(DONE));
	why = reply->why_found->whys[0];
	assert_int_equal(why->consumption->budget, 30);
	assert_int_equal(why->consumption->used, 6);
	assert_int_equal(why->consumption->unit, AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_DAYS);
	harness_want(resume(&w, "sara", &id, "D3"), REPLY(DONE));
	reply = world_ask(&w, COMMAND(GET_WHY), &get.base);
	why = reply->why_found->whys[0];
	for (size_t i = 0; i < why->n_days; i++) {
		uint32_t run = why->days[i]->run > 1 ? why->days[i]->run : 1;
		if (why->days[i]->use == AVVIK__V1__DAY_USE__DAY_USE_STOPPED) {
			stopped += run;
			assert_string_equal(why->days[i]->reason, "vantar_komplettering");
		}
		counted += why->days[i]->use == AVVIK__V1__DAY_USE__DAY_USE_COUNTED ? run : 0;
	}
	assert_int_equal(stopped, 6);
	assert_int_equal(counted, 29); /* and the last day */
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_still_says_nothing_and_goes_on_where_it_was),
		cmocka_unit_test(a_stop_is_refused_by_name_with_what_would_satisfy_it),
		cmocka_unit_test(more_time_is_given_as_far_as_the_rule_allows),
		cmocka_unit_test(a_day_that_has_been_spoken_of_gives_its_place_to_another),
		cmocka_unit_test(facts_stop_a_deadline_and_let_it_go_on),
		cmocka_unit_test(what_stands_still_can_end),
		cmocka_unit_test(an_earlier_anchor_takes_the_place_of_a_later_one),
		cmocka_unit_test(why_tells_stops_and_what_is_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
