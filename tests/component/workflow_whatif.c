/* workflow_whatif.c - the recorded history by another rule pack */
#include "workflow_world.h"

#include <string.h>

#define RUNG(name) AVVIK__V1__RUNG_KIND__RUNG_KIND_##name

static Avvik__V1__Reply *ask(struct world *w, Avvik__V1__WhatIf query)
{
	struct av_principal admin = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	return harness_order(w->h, &admin, NULL, NULL, COMMAND(WHAT_IF), &query.base);
}

static const Avvik__V1__WhatIfFound *whatif(struct world *w, Avvik__V1__RulePack *rules)
{
	Avvik__V1__WhatIf query = AVVIK__V1__WHAT_IF__INIT;
	Avvik__V1__Reply *reply;

	query.rules = rules;
	reply = ask(w, query);
	harness_want(reply, REPLY(DONE));
	return reply->what_if_found;
}

static Avvik__V1__DeadlineRule *rule_of(Avvik__V1__RulePack *rules, const char *id)
{
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, id) == 0)
			return rules->deadlines[i];
	fail_msg("no rule %s", id);
	return NULL;
}

/* D3, 30 days, with its last day moved past days off as statutory time is. */
static Avvik__V1__RulePack *moved(struct world *w, bool moved)
{
	Avvik__V1__RulePack *rules = world_rules(w);
	rule_of(rules, "D3")->moved = moved;
	return rules;
}

static void history(struct world *w, struct av_id *ret_id)
{
	world_open_bare(w, "2026-05-20 09:00");
	world_publish_directory(w, NULL);
	world_publish_changed(w, moved(w, true));
	*ret_id = world_file(w, world_report(w)); /* D3: to Midsummer Eve, and so to the Monday after */
	world_want_day(world_deadline(w, ret_id, "D3")->due_on, "2026-06-22");
	harness_advance(w->h, harness_at("2026-06-22 14:00"));
	world_investigate(w, ret_id); /* in time */
	harness_advance(w->h, harness_at("2026-06-24 09:00"));
}

static void a_last_day_on_midsummer_eve_itself_would_have_been_missed(void **state)
{
	const Avvik__V1__WhatIfFound *found;
	const Avvik__V1__WhatIfDeadline *different;
	unsigned char before[32], after[32];
	struct world w;
	struct av_id id;
	bool overdue = false;

	(void)state;
	history(&w, &id);
	harness_fingerprint(w.h, before);
	found = whatif(&w, moved(&w, false));
	assert_int_equal(found->cases, 1);
	assert_int_equal(found->n_differences, 1); /* D3, and nothing else */
	different = found->differences[0];
	assert_string_equal(different->rule, "D3");
	world_want_day(different->due_before_on, "2026-06-22");
	world_want_day(different->due_after_on, "2026-06-19");
	assert_false(different->overdue_before);
	assert_true(different->overdue_after);
	for (size_t i = 0; i < different->n_rungs; i++) {
		const Avvik__V1__WhatIfRung *rung = different->rungs[i];
		if (rung->kind != RUNG(OVERDUE))
			continue;
		overdue = true;
		assert_int_equal(rung->at_before_ms, 0);
		world_want_instant(rung->at_after_ms, "2026-06-20T00:00:00+02:00");
		assert_string_equal(rung->to_after[0]->role, "SAS");
	}
	assert_true(overdue);
	harness_fingerprint(w.h, after);
	assert_memory_equal(before, after, 32);
	world_close(&w);
}

static void want_no_difference(struct world *w, uint32_t deadlines)
{
	const Avvik__V1__WhatIfFound *found = whatif(w, world_rules(w));

	for (size_t i = 0; i < found->n_differences; i++)
		for (size_t k = 0; k < found->differences[i]->n_rungs; k++)
			print_error("%s %s: rung of kind %d at %lld, not at %lld\n",
				found->differences[i]->number, found->differences[i]->rule,
				(int)found->differences[i]->rungs[k]->kind,
				(long long)found->differences[i]->rungs[k]->at_after_ms,
				(long long)found->differences[i]->rungs[k]->at_before_ms);
	assert_int_equal(found->deadlines, deadlines);
	assert_int_equal(found->n_differences, 0);
	assert_int_equal(found->overdue_before, found->overdue_after);
}

/* By its own rules nothing would have been different, whatever has happened: stops, more time, ends, a moved anchor. */
static void by_its_own_rules_nothing_is_different(void **state)
{
	Avvik__V1__StopDeadline stop = AVVIK__V1__STOP_DEADLINE__INIT;
	Avvik__V1__ResumeDeadline resume = AVVIK__V1__RESUME_DEADLINE__INIT;
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	struct world w;
	struct av_id id, other, deviation;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	other = world_file(&w, world_report(&w));
	deviation = world_file(&w, world_deviation(&w));
	harness_advance(w.h, harness_at("2026-04-14 10:00"));
	stop.deadline_id = world_deadline(&w, &id, "D3")->deadline_id;
	stop.reason = TEXT("vantar_komplettering");
	stop.motive = TEXT("väntar");
	world_does(&w, "sara", &id, ACT(STOP_DEADLINE), &stop.base, NULL);
	harness_advance(w.h, harness_at("2026-04-20 10:00"));
	resume.deadline_id = stop.deadline_id;
	resume.motive = TEXT("svaret har kommit");
	world_does(&w, "sara", &id, ACT(RESUME_DEADLINE), &resume.base, NULL);
	remedy.text = TEXT("avhjälpt");
	world_does(&w, "anna", &other, ACT(REMEDY), &remedy.base, NULL);
	harness_advance(w.h, harness_at("2026-05-29 10:00"));
	world_investigate(&w, &id);
	want_no_difference(&w, 6); /* D2 and D3 of both, DEV1, DEV2 */
	(void)deviation;
	world_close(&w);
}

/* Two reports of one event: the one ends and goes on later, past its first warning or past its last day; the other counts
 * from the receipt of the first meanwhile, which moves what has been said of it already. */
static void by_its_own_rules_nothing_is_different_of_what_was_joined_and_parted(void **state)
{
	static const char *const parted_at[] = {"2026-05-04 10:00", "2026-06-10 10:00"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		Avvik__V1__JoinCase join = AVVIK__V1__JOIN_CASE__INIT;
		Avvik__V1__PartCase part = AVVIK__V1__PART_CASE__INIT;
		struct av_id first, second, into;
		struct world w;

		world_open(&w, "2026-04-07 09:00");
		first = world_file(&w, world_report(&w));
		harness_advance(w.h, harness_at("2026-04-20 10:00"));
		into = second = world_file(&w, world_report(&w));
		harness_advance(w.h, harness_at(i ? "2026-05-15 10:00" : "2026-04-21 10:00"));
		join.into_case_id = BINARY(into);
		join.into_version_seen = world_case(&w, &second)->version;
		join.motive = TEXT("samma händelse");
		world_does(&w, "sara", &first, ACT(JOIN), &join.base, NULL);
		harness_advance(w.h, w.h->now_ms + 1000); /* what lies behind is said at once */
		want_no_difference(&w, 4);
		harness_advance(w.h, harness_at(parted_at[i]));
		want_no_difference(&w, 4);
		part.motive = TEXT("en annan händelse");
		world_does(&w, "sara", &first, ACT(PART), &part.base, NULL);
		harness_advance(w.h, w.h->now_ms + 1000);
		want_no_difference(&w, 4);
		harness_advance(w.h, harness_at("2026-07-08 09:00"));
		want_no_difference(&w, 4);
		harness_check_replay(w.h);
		world_close(&w);
	}
}

static void days_and_missing_rules_and_other_facts_are_told(void **state)
{
	Avvik__V1__WhatIf query = AVVIK__V1__WHAT_IF__INIT;
	const Avvik__V1__WhatIfFound *found;
	Avvik__V1__RulePack *rules;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	history(&w, &id);
	query.rules = moved(&w, false);
	assert_int_equal(av_day_parse("2026-05-21", &query.from_on), AV_OK);
	reply = ask(&w, query);
	assert_int_equal(reply->what_if_found->cases, 0); /* received the day before */
	rules = moved(&w, true);
	rule_of(rules, "D3")->starts = AVVIK__V1__ANCHOR__ANCHOR_SERIOUS;
	found = whatif(&w, rules);
	assert_int_equal(found->n_by_other_facts, 1);
	assert_string_equal(found->by_other_facts[0], "D3");
	rule_of(rules, "D3")->id = TEXT("D3X");
	query = (Avvik__V1__WhatIf)AVVIK__V1__WHAT_IF__INIT;
	query.rules = rules;
	reply = ask(&w, query);
	harness_want(reply, REPLY(INVALID));
	assert_non_null(
		strstr(reply->faults[0]->text, "rule_missing: the case 2026-0001 has the deadline D3"));
	harness_want(world_ask(&w, COMMAND(WHAT_IF), &query.base), REPLY(FORBIDDEN));
	world_close(&w);
}

static void another_ladder_tells_what_would_have_been_said_and_to_whom(void **state)
{
	const Avvik__V1__WhatIfDeadline *different;
	const Avvik__V1__WhatIfFound *found;
	Avvik__V1__RulePack *rules;
	struct world w;
	struct av_id id;

	(void)state;
	history(&w, &id);
	rules = moved(&w, true);
	rule_of(rules, "D3")->ladder[0]->to[0]->role = TEXT("FC"); /* the first reminder to another */
	found = whatif(&w, rules);
	assert_int_equal(found->n_differences, 1);
	different = found->differences[0];
	assert_int_equal(different->n_rungs, 1);
	assert_int_equal(different->rungs[0]->at_before_ms, different->rungs[0]->at_after_ms);
	assert_string_equal(different->rungs[0]->to_before[0]->role, "SAS");
	assert_string_equal(different->rungs[0]->to_after[0]->role, "FC");
	assert_int_equal(different->due_before_on, different->due_after_on);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_last_day_on_midsummer_eve_itself_would_have_been_missed),
		cmocka_unit_test(by_its_own_rules_nothing_is_different),
		cmocka_unit_test(by_its_own_rules_nothing_is_different_of_what_was_joined_and_parted),
		cmocka_unit_test(days_and_missing_rules_and_other_facts_are_told),
		cmocka_unit_test(another_ladder_tells_what_would_have_been_said_and_to_whom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
