/* workflow_takeover_once.c - taking over: what is tried is not kept, what is sent again is done once, and what cannot
 * be is refused, each fault with its field and remedy */
#include "workflow_taken.h"

#include <string.h>

#include "base/macros.h"

static void a_trial_tells_the_same_and_keeps_nothing(void **state)
{
	unsigned char before[32], after[32];
	Avvik__V1__Reply *reply;
	struct world w;
	uint64_t head;

	(void)state;
	world_open(&w, NOW);
	head = harness_head(w.h);
	harness_fingerprint(w.h, before);
	reply = take_trial(&w, LS31);
	harness_want(reply, REPLY(DONE));
	assert_string_equal(reply->takeover_result->number, "");
	assert_int_equal(reply->takeover_result->case_id.len, 0);
	assert_int_equal(reply->takeover_result->state, STATE(INVESTIGATION));
	assert_int_equal(reply->takeover_result->n_deadlines, 4);
	assert_true(reply->takeover_result->deadlines[3]->overdue);
	harness_fingerprint(w.h, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(harness_head(w.h), head);
	harness_want(take(&w, LS31), REPLY(DONE));
	assert_true(take_trial(&w, LS31)->takeover_result->before);
	world_close(&w);
}

static void what_is_sent_again_is_done_once(void **state)
{
	struct av_principal other = harness_principal("another", "administrator", AV_MAY_TAKE_OVER);
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;
	uint64_t head;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	head = harness_head(w.h);
	for (int i = 0; i < 3; i++) {
		reply = i == 1 ? take_as(&w, &other, LS31) : take(&w, LS31);
		harness_want(reply, REPLY(DONE));
		assert_true(reply->takeover_result->before);
		assert_string_equal(reply->takeover_result->number, "2025-0001");
		assert_int_equal(reply->takeover_result->n_deadlines, 4);
		assert_int_equal(reply->takeover_result->taken_over_at_ms, harness_at(NOW));
		harness_restart(w.h);
		w.h->now_ms += 3600000;
	}
	assert_int_equal(harness_head(w.h), head);
	assert_int_equal(world_deadlines(&w, &id), 4);
	harness_check_replay(w.h);
	world_close(&w);
}

static void the_same_number_with_another_content_is_refused_and_named(void **state)
{
	Avvik__V1__Reply *reply;
	struct world w;
	uint64_t head;

	(void)state;
	world_open(&w, NOW);
	(void)taken(&w, LS31);
	head = harness_head(w.h);
	reply = take(&w, "external_id: LS-31\nstate: investigation\n" REPORT "acts:\n" ASSESS);
	harness_want(reply, REPLY(CONFLICT));
	assert_string_equal(reply->faults[0]->path, "case.external_id");
	assert_non_null(strstr(reply->faults[0]->text, "2025-0001"));
	harness_want(take_trial(&w, HEAD REPORT "acts:\n" ASSESS), REPLY(CONFLICT));
	assert_int_equal(harness_head(w.h), head);
	world_close(&w);
}

static void want_known_and_erased(struct world *w)
{
	Avvik__V1__Reply *reply;

	harness_upkeep(w->h);
	reply = take(w, LS31);
	harness_want(reply, REPLY(DONE));
	assert_true(reply->takeover_result->before && reply->takeover_result->erased);
	harness_check_replay(w->h);
}

static void when_its_content_is_erased_it_is_still_known(void **state)
{
	Avvik__V1__EraseContent erase = AVVIK__V1__ERASE_CONTENT__INIT;
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	erase.case_id = BINARY(id);
	erase.reason = TEXT("gallring");
	reply = harness_order(w.h, &w.cases, "e1", "reg", COMMAND(ERASE_CONTENT), &erase.base);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->grant_issued->n_grants, 1); /* all of it is held here */
	open.grant = reply->grant_issued->grants[0];
	harness_want(
		harness_order(w.h, &w.cases, "e2", "reg", COMMAND(OPEN_CONTENT), &open.base), REPLY(DONE));
	want_known_and_erased(&w);
	world_close(&w);
}

/* The report as it was sent is told by its commitment, which is kept; what it said is erased by a correction. */
static void when_its_report_is_corrected_it_is_still_known(void **state)
{
	Avvik__V1__CorrectContent correct = AVVIK__V1__CORRECT_CONTENT__INIT;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	correct.content_id = world_case(&w, &id)->contents[0]->content_id;
	correct.reason = TEXT("rattelse");
	narrative.description = TEXT("inga pengar saknas");
	correct.narrative = &narrative;
	world_does(&w, "sara", &id, ACT(CORRECT_CONTENT), &correct.base, NULL);
	want_known_and_erased(&w);
	world_close(&w);
}

static bool says(const void *data, size_t size, const char *words)
{
	for (size_t i = 0; i + strlen(words) <= size; i++)
		if (memcmp((const char *)data + i, words, strlen(words)) == 0)
			return true;
	return false;
}

static void content_is_sealed_and_read_by_grant(void **state)
{
	Avvik__V1__ReadContent read = AVVIK__V1__READ_CONTENT__INIT;
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	const Avvik__V1__OpenedContent *content;
	bool narrative = false, authors = false;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	for (uint64_t i = 1; i <= harness_head(w.h);
		i++) { /* nothing that somebody wrote stands in the journal */
		const Avvik__V1__Event *event = harness_at_sequence(w.h, i);
		struct av_bytes packed = av_message_pack(&event->base, w.h->arena);
		assert_false(says(packed.data, packed.size, "pengar"));
		assert_false(says(packed.data, packed.size, "Eva Ek"));
	}
	read.case_id = BINARY(id);
	read.purpose = TEXT("utredning");
	reply = harness_order(w.h, &w.cases, "r1", "sara", COMMAND(READ_CONTENT), &read.base);
	harness_want(reply, REPLY(DONE));
	open.grant = reply->grant_issued->grants[0];
	reply = harness_order(w.h, &w.cases, "r2", "sara", COMMAND(OPEN_CONTENT), &open.base);
	harness_want(reply, REPLY(DONE));
	content = reply->opened_content;
	for (size_t i = 0; i < content->n_items; i++)
		for (size_t k = 0; k < content->items[i]->n_parts; k++) {
			ProtobufCBinaryData body = content->items[i]->parts[k]->body;
			narrative |= says(body.data, body.len, "pengar saknas");
			authors |= says(body.data, body.len, "2025-10-06 remedy: Eva Ek, enhetschef");
		}
	assert_true(narrative && authors);
	world_close(&w);
}

static struct av_principal limited(const char *const *units)
{
	struct av_principal mover = harness_principal("mover", "administrator", AV_MAY_TAKE_OVER);
	mover.units = units;
	return mover;
}

static void it_takes_a_right_of_its_own(void **state)
{
	static const char *const units[] = {"lss", NULL};
	struct av_principal admin =
		harness_principal("admin", "administrator", AV_MAY_ADMINISTER | AV_MAY_ACT);
	struct av_principal mover = limited(units);
	Avvik__V1__Reply *reply;
	struct world w;

	(void)state;
	world_open(&w, NOW);
	harness_want(take_as(&w, &admin, LS31), REPLY(FORBIDDEN));
	reply = take_as(&w, &mover, LS31);
	harness_want(reply, REPLY(INVALID));
	assert_string_equal(reply->faults[0]->path, "case.report.unit");
	assert_int_equal(harness_count(w.h, EVENT(CASE_OPENED), 0), 0);
	world_close(&w);
}

/* Whatever it sends with a number that is known: nothing of the case is told, not even that the content is another. */
static void nothing_is_told_of_a_case_of_other_units(void **state)
{
	static const char *const units[] = {"hemtjanst", NULL}, *const own[] = {"aldre", NULL};
	static const char *const texts[] = {LS31, HEAD REPORT "acts:\n" ASSESS,
		HEAD "report: { type: lex_sarah, unit: hemtjanst, received_at: 2025-10-06, laws: [lss], "
		     "category: EKO, narrative: { description: x } }\n"};
	struct av_principal other = limited(units), above = limited(own);
	Avvik__V1__CheckTakeover check = AVVIK__V1__CHECK_TAKEOVER__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	uint64_t head;

	(void)state;
	world_open(&w, NOW);
	(void)taken(&w, LS31);
	head = harness_head(w.h);
	for (size_t i = 0; i < 2 * AV_COUNT(texts); i++) {
		check.system = TEXT("oldsys");
		check.case_ = taken_case(&w, texts[i / 2]);
		reply = i % 2 ? harness_order(w.h, &other, NULL, NULL, COMMAND(CHECK_TAKEOVER), &check.base)
			      : take_as(&w, &other, texts[i / 2]);
		harness_want(reply, REPLY(FORBIDDEN));
		assert_string_equal(reply->faults[0]->path, "case.external_id");
		assert_null(strstr(reply->faults[0]->text, "2025"));
		assert_int_not_equal(reply->body_case, AVVIK__V1__REPLY__BODY_TAKEOVER_RESULT);
	}
	assert_int_equal(harness_head(w.h), head);
	reply = take_as(&w, &above, LS31); /* whoever has a unit above it is told as before */
	harness_want(reply, REPLY(DONE));
	assert_true(reply->takeover_result->before);
	world_close(&w);
}

/* --- refusals --- */

#define PLAN                                                                                                  \
	"plan: { horizon: short, description: rutin, goal: inget glöms, responsible: anna, planned_end_on: " \
	"2026-03-02 }"
#define WITH_REPORT(fields) HEAD "report: { " fields " }\nacts:\n" REMEDY
#define OWN(received)                                                                                 \
	"type: lex_sarah, unit: boendet, laws: [lss], category: EKO, narrative: { description: x }, " \
	"received_at: " received

static const struct refused {
	const char *why, *text, *path, *says;
} refused[] = {
	/* clang-format off */
	{"an unknown unit", WITH_REPORT("type: lex_sarah, unit: nowhere, received_at: 2025-10-06, category: EKO, narrative: { description: x }"),
		"case.report.unit", "no leaf of the directory"},
	{"a unit that is no leaf", WITH_REPORT("type: lex_sarah, unit: aldre, received_at: 2025-10-06, category: EKO, narrative: { description: x }"),
		"case.report.unit", "no leaf of the directory"},
	{"received in the future", WITH_REPORT(OWN("2026-02-03")), "case.report.received_at", "in the future"},
	{"no time of receipt", WITH_REPORT("type: lex_sarah, unit: boendet, category: EKO, narrative: { description: x }"),
		"case.report.received_at", "deadlines are counted from it"},
	{"no rule pack", WITH_REPORT(OWN("2025-05-12")), "case.report.received_at", "no rule pack covers 2025-05-12"},
	{"noticed after it was received", WITH_REPORT(OWN("2025-10-06") ", noticed_at: 2025-10-07"), "case.report.noticed_at", "after the report was received"},
	{"happened after it was received", WITH_REPORT(OWN("2025-10-06") ", occurred_from_at: 2025-10-07"), "case.report.occurred_from_at", "after the report was received"},
	{"ended before it began", WITH_REPORT(OWN("2025-10-06") ", occurred_from_at: 2025-10-02, occurred_until_at: 2025-10-01"), "case.report.occurred_until_at", "before occurred_from_at"},
	{"nothing is said", WITH_REPORT("type: lex_sarah, unit: boendet, received_at: 2025-10-06, category: EKO"), "case.report.narrative.description", "what happened"},
	{"an unknown category", WITH_REPORT("type: lex_sarah, unit: boendet, received_at: 2025-10-06, category: HITTEPA, narrative: { description: x }"),
		"case.report.category", "one of its categories"},
	{"an act before the receipt", HEAD REPORT "acts:\n- { acted_at: 2025-10-05, remedy: { text: x } }\n", "case.acts[0].acted_at", "before the report was received, 2025-10-06"},
	{"an act in the future", HEAD REPORT "acts:\n- { acted_at: 2026-02-02 09:01, remedy: { text: x } }\n", "case.acts[0].acted_at", "in the future"},
	{"no act", HEAD REPORT "acts:\n- { acted_at: 2025-10-06 }\n", "case.acts[0]", "say what was done"},
	{"decided before it was investigated", HEAD REPORT "acts:\n- { acted_at: 2025-10-07, decide: { degree: none, motive: x } }\n" ASSESS,
		"case.acts[0].decide", "state: the case is received; decide is possible while it is assessment"},
	{"notified without a duty", HEAD REPORT "acts:\n" REMEDY ASSESS NOTIFY, "case.acts[2].notify_ivo", "ivo_not_required"},
	{"completed without its items", HEAD REPORT "acts:\n" ASSESS "- { acted_at: 2025-11-01, complete_investigation: { proposed_degree: none, motive: x } }\n",
		"case.acts[1].complete_investigation", "missing: 1, 2, 3, 4, 5, 6, 7, 8 and 10"},
	{"an investigator who is not in the directory", HEAD REPORT "acts:\n- { acted_at: 2025-10-20, assess_initially: { preliminary_degree: none, investigate: true, investigator: nobody, motive: x } }\n",
		"case.acts[0].assess_initially.investigator", "not in the directory"},
	{"an investigator of the unit itself", HEAD REPORT "acts:\n- { acted_at: 2025-10-20, assess_initially: { preliminary_degree: none, investigate: true, investigator: anna, motive: x } }\n",
		"case.acts[0].assess_initially.investigator", "who does"},
	{"no handler", "external_id: A\nstate: review\nreport: { type: deviation, unit: hemtjanst, received_at: 2026-01-20, category: BEM, narrative: { description: x } }\nacts:\n- { acted_at: 2026-01-21, take_for_review: {} }\n",
		"case.acts[0].take_for_review.handler", "the person who handles it"},
	{"another state than it has come to", "external_id: A\nstate: decided\n" REPORT "acts:\n" REMEDY ASSESS, "case.state", "is decided, but what was done leads to investigation"},
	{"a closed case", "external_id: A\nstate: closed\n" REPORT, "case.state", "open cases are taken over"},
	{"a measure that was neither proposed nor decided", HEAD REPORT "measures:\n- " PLAN "\n", "case.measures[0]", "give proposed_at or decided_at"},
	{"executed and never decided", HEAD REPORT "measures:\n- proposed_at: 2025-12-01\n  executed_at: 2025-12-02\n  " PLAN "\n", "case.measures[0]", "decided_at, since it is executed"},
	{"judged and never executed", HEAD REPORT "measures:\n- decided_at: 2025-12-01\n  checks: [{ judged_at: 2025-12-02, text: x }]\n  " PLAN "\n",
		"case.measures[0]", "executed_at, since its effect is judged"},
	{"executed before it was decided", HEAD REPORT "measures:\n- decided_at: 2025-12-02\n  executed_at: 2025-12-01\n  " PLAN "\n", "case.measures[0].executed_at", "before the measure was decided, 2025-12-02"},
	{"decided while it is investigated", HEAD REPORT "acts:\n" REMEDY ASSESS "measures:\n- decided_at: 2025-12-01\n  " PLAN "\n",
		"case.measures[0].plan", "state: the case is investigation; decide_measure is possible while it is decided"},
}; /* clang-format on */

static bool has_fault(const Avvik__V1__Reply *reply, const struct refused *row)
{
	for (size_t i = 0; i < reply->n_faults; i++)
		if (strcmp(reply->faults[i]->path, row->path) == 0 &&
			strstr(reply->faults[i]->text, row->says))
			return true;
	return false;
}

static void what_cannot_be_is_refused_with_field_and_remedy_and_leaves_no_trace(void **state)
{
	unsigned char before[32], after[32];
	struct world w;

	(void)state;
	world_open(&w, NOW);
	harness_fingerprint(w.h, before);
	for (size_t i = 0; i < AV_COUNT(refused); i++)
		for (int trial = 0; trial < 2; trial++) {
			Avvik__V1__Reply *reply =
				trial ? take_trial(&w, refused[i].text) : take(&w, refused[i].text);
			if (reply->status == REPLY(INVALID) && has_fault(reply, &refused[i]))
				continue;
			for (size_t k = 0; k < reply->n_faults; k++)
				print_error("  %s: %s\n", reply->faults[k]->path, reply->faults[k]->text);
			fail_msg("%s: want %s: %s", refused[i].why, refused[i].path, refused[i].says);
		}
	harness_fingerprint(w.h, after);
	assert_memory_equal(before, after, sizeof(before));
	world_close(&w);
}

static void every_fault_of_a_case_is_listed_at_once(void **state)
{
	Avvik__V1__Reply *reply;
	struct world w;

	(void)state;
	world_open(&w, NOW);
	reply = take(&w, HEAD
		"report: { type: lex_sarah, unit: nowhere, received_at: 2025-10-06, category: HITTEPA }\n"
		"acts:\n- { acted_at: 2025-10-01, remedy: { text: x } }\n- { acted_at: 2027-01-01, remedy: { "
		"text: x } }\n");
	harness_want(reply, REPLY(INVALID));
	assert_int_equal(reply->n_faults, 5);
	assert_non_null(strstr(reply->text, "5 faults"));
	/* The first that the table refuses, and the fields of those after it. */
	reply = take(&w, HEAD REPORT
		"acts:\n" NOTIFY
		"- { acted_at: 2025-12-01, record_entry: { item: 9, nature: fact, source: x, text: y } }\n");
	assert_int_equal(reply->n_faults, 2);
	world_close(&w);
}

/* TakenAct has the acts of ActOnCase under the same numbers; the bodies are the same messages. */
static void a_taken_act_is_an_act(void **state)
{
	const ProtobufCMessageDescriptor *taken_type = &avvik__v1__taken_act__descriptor;
	size_t count = 0;

	(void)state;
	for (unsigned i = 0; i < taken_type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &taken_type->fields[i], *act;
		if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		act = protobuf_c_message_descriptor_get_field(&avvik__v1__act_on_case__descriptor, field->id);
		assert_non_null(act);
		assert_string_equal(act->name, field->name);
		assert_ptr_equal(act->descriptor, field->descriptor);
		count++;
	}
	assert_int_equal(count, 28);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_tells_the_same_and_keeps_nothing),
		cmocka_unit_test(what_is_sent_again_is_done_once),
		cmocka_unit_test(the_same_number_with_another_content_is_refused_and_named),
		cmocka_unit_test(when_its_content_is_erased_it_is_still_known),
		cmocka_unit_test(when_its_report_is_corrected_it_is_still_known),
		cmocka_unit_test(content_is_sealed_and_read_by_grant),
		cmocka_unit_test(it_takes_a_right_of_its_own),
		cmocka_unit_test(nothing_is_told_of_a_case_of_other_units),
		cmocka_unit_test(what_cannot_be_is_refused_with_field_and_remedy_and_leaves_no_trace),
		cmocka_unit_test(every_fault_of_a_case_is_listed_at_once),
		cmocka_unit_test(a_taken_act_is_an_act),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
