/* intake_report.c - which circumstances of a report are faults that are kept, and which flags they leave */
#include "intake_support.h"
#include "report_rules.h"

#define NOW "2026-04-07 12:00"
#define LEAF "bjorkgarden-plan-1"

static const char good[] =
	"type: lex_sarah\n"
	"unit: " LEAF "\n"
	"category: UTF\n"
	"subcategory: UTF_UTEBLIVEN\n"
	"registry_number: SN 2026/0042\n"
	"source_system: lifecare\n"
	"occurred_from_at: 2026-04-06 08:00\n"
	"occurred_until_at: 2026-04-06 09:00\n"
	"noticed_at: 2026-04-06 10:00\n"
	"received_at: 2026-04-07 11:00\n"
	"narrative: { description: x, immediate_measures: [{ text: y, taken_at: 2026-04-06 11:00 }] }\n"
	"reporter: { name: R, mail: r@lindaker.example }\n";

struct world {
	struct report_view view;
	struct av_faults faults;
	struct report_found found;
};

static struct world world(struct av_arena *arena)
{
	struct world made = {.view = {
				     .org = av_org_create(support_lindaker(arena), arena),
				     .rules = support_rules(arena),
				     .now_ms = support_instant(NOW),
			     }};
	av_faults_init(&made.faults, arena);
	return made;
}

static void check(struct world *w, const Avvik__V1__FileReport *report)
{
	av_faults_init(&w->faults, w->faults.arena);
	report_check(report, &w->view, &w->faults, &w->found);
}

static void a_report_without_fault_is_placed_named_and_answerable(void **state)
{
	struct world w = world(*state);
	check(&w, REPORT(good, *state));
	support_assert_no_faults(&w.faults);
	assert_true(w.found.placed);
	assert_true(w.found.reporter_named);
	assert_true(w.found.contact_given);
	assert_string_equal(w.found.unit, LEAF);
	assert_string_equal(w.found.registry_number, "SN 2026/0042");
	assert_int_equal(w.found.received_at_ms, support_instant("2026-04-07 11:00"));
	assert_int_equal(w.found.unread_count, 0);
}

static void each_faulty_unit_leaves_the_report_unplaced(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	static const struct {
		const char *unit, *want_fault, *want_in_event;
	} rows[] = {
		{"", "required unit|which unit", ""},
		{"  ", "malformed unit|not a code", ""},
		{"tallen", "unknown_reference unit|not in the directory", "tallen"},
		{"bjorkgarden", "unknown_reference unit|units below", "bjorkgarden"},
		{"avdelning åtta", "malformed unit|left out", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		report->unit = (char *)(uintptr_t)rows[i].unit;
		check(&w, report);
		if (strcmp(rows[i].unit, "  ") == 0)
			assert_faults(&w.faults, rows[i].want_fault, "required unit|");
		else
			assert_faults(&w.faults, rows[i].want_fault);
		assert_false(w.found.placed);
		assert_string_equal(w.found.unit, rows[i].want_in_event);
	}
}

static void without_a_directory_the_report_waits_to_be_placed(void **state)
{
	struct world w = world(*state);
	w.view.org = NULL;
	check(&w, REPORT(good, *state));
	assert_faults(&w.faults, "unknown_reference unit|no directory has been published");
	assert_false(w.found.placed);
}

static void only_lex_sarah_asks_for_a_named_reporter(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	report->reporter->name = (char *)(uintptr_t) " \t";
	static const struct {
		Avvik__V1__ReportType type;
		bool want_fault;
	} rows[] = {
		{AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION, false},
		{AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH, true},
		{AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH_RISK, true},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		report->type = rows[i].type;
		check(&w, report);
		assert_int_equal(w.faults.count, rows[i].want_fault);
		assert_false(w.found.reporter_named);
		assert_true(w.found.contact_given);
	}
	report->reporter = NULL;
	check(&w, report);
	assert_faults(&w.faults, "required reporter.name|find out who it is");
	assert_false(w.found.contact_given);
}

static void a_mail_address_that_the_table_faulted_is_no_contact(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	av_faults_init(&w.faults, *state);
	av_fault(&w.faults, FAULT(MALFORMED), "reporter.mail", "is not a mail address");
	report_check(report, &w.view, &w.faults, &w.found);
	assert_false(w.found.contact_given);
	assert_int_equal(w.faults.count, 1);
}

static void a_report_without_description_is_kept_with_that_fault(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	report->narrative->description = (char *)(uintptr_t) "\n ";
	check(&w, report);
	assert_faults(&w.faults, "required narrative.description|as a supplement");
	report->narrative = NULL;
	check(&w, report);
	assert_faults(&w.faults, "required narrative.description|as a supplement");
}

static void odd_times_are_kept_as_sent_with_a_fault_each(void **state)
{
	struct world w = world(*state);
	static const struct {
		const char *name, *from, *until, *noticed, *received, *want;
	} rows[] = {
		{"nothing said", 0, 0, 0, 0, NULL},
		{"five minutes ahead", 0, 0, "2026-04-07 12:05", "2026-04-07 12:05", NULL},
		{"received ahead", 0, 0, 0, "2026-04-07 12:06", "out_of_range received_at_ms|future"},
		{"ends before it begins", "2026-04-06 09:00", "2026-04-06 08:59", 0, 0,
			"contradiction occurred_until_at_ms|"},
		{"ends, never begins", 0, "2026-04-06 08:59", 0, 0,
			"required occurred_from_at_ms|when it began"},
		{"noticed before it happened", "2026-04-06 09:00", 0, "2026-04-06 08:00", 0,
			"contradiction noticed_at_ms|"},
		{"received before noticed", 0, 0, "2026-04-06 09:00", "2026-04-06 08:00",
			"contradiction received_at_ms|noticed"},
		{"received before it happened", "2026-04-06 09:00", 0, 0, "2026-04-06 08:00",
			"contradiction received_at_ms|happened"},
		{"noticed at once", "2026-04-06 09:00", 0, "2026-04-06 09:00", "2026-04-06 09:00", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		Avvik__V1__FileReport *report = REPORT(good, *state);
		report->occurred_from_at_ms = rows[i].from ? support_instant(rows[i].from) : 0;
		report->occurred_until_at_ms = rows[i].until ? support_instant(rows[i].until) : 0;
		report->noticed_at_ms = rows[i].noticed ? support_instant(rows[i].noticed) : 0;
		report->received_at_ms = rows[i].received ? support_instant(rows[i].received) : 0;
		check(&w, report);
		if (rows[i].want)
			assert_faults(&w.faults, rows[i].want);
		else
			support_assert_no_faults(&w.faults);
		assert_int_equal(w.found.received_at_ms,
			rows[i].received ? support_instant(rows[i].received) : w.view.now_ms);
	}
}

static void a_future_measure_is_named_by_its_place(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	report->narrative->immediate_measures[0]->taken_at_ms = support_instant("2026-04-08 00:00");
	check(&w, report);
	assert_faults(&w.faults, "out_of_range narrative.immediate_measures[0].taken_at_ms|future");
}

static void a_time_that_is_none_does_not_become_the_day_it_was_received(void **state)
{
	(void)state;
	assert_int_equal(report_received_ms(0, 1000), 1000);
	assert_int_equal(report_received_ms(-5, 1000), 1000);
	assert_int_equal(report_received_ms(INT64_MAX, 1000), 1000);
	assert_int_equal(report_received_ms(999, 1000), 999);
}

static void categories_are_held_against_the_rule_pack(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	static const struct {
		const char *category, *subcategory, *want;
	} rows[] = {
		{"", "", NULL},
		{"UTF", "", NULL},
		{"XYZ", "", "unknown_value category|have no parent"},
		{"UTF_PLAN", "", "unknown_value category|have no parent"},
		{"UTF", "UTF", "unknown_value subcategory|have a parent"},
		{"UTF", "XYZ", "unknown_value subcategory|have a parent"},
		{"FALL", "UTF_PLAN", "contradiction subcategory|its parent"},
		{"", "UTF_PLAN", "contradiction subcategory|its parent"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		report->category = (char *)(uintptr_t)rows[i].category;
		report->subcategory = (char *)(uintptr_t)rows[i].subcategory;
		check(&w, report);
		if (rows[i].want)
			assert_faults(&w.faults, rows[i].want);
		else
			support_assert_no_faults(&w.faults);
	}
	w.view.rules = NULL;
	check(&w, report);
	assert_faults(&w.faults, "unknown_reference subcategory|no rule pack");
}

static void what_is_no_code_stays_out_of_the_event_and_is_handed_on_to_be_sealed(void **state)
{
	struct world w = world(*state);
	Avvik__V1__FileReport *report = REPORT(good, *state);
	report->unit = (char *)(uintptr_t) "hos Anna";
	report->category = (char *)(uintptr_t) "slog till";
	report->subcategory = (char *)(uintptr_t) "med käppen";
	report->registry_number = (char *)(uintptr_t) "Annas ärende";
	report->source_system = (char *)(uintptr_t) "pappret på bordet";
	check(&w, report);
	assert_faults(&w.faults, "malformed unit|", "malformed category|", "malformed subcategory|",
		"malformed registry_number|", "malformed source_system|");
	assert_string_equal(w.found.unit, "");
	assert_string_equal(w.found.category, "");
	assert_string_equal(w.found.subcategory, "");
	assert_string_equal(w.found.registry_number, "");
	assert_string_equal(w.found.source_system, "");
	assert_int_equal(w.found.unread_count, REPORT_UNREAD_MAX);
	assert_string_equal(w.found.unread[0].path, "unit");
	assert_string_equal(w.found.unread[4].value, "pappret på bordet");
}

static void a_media_type_that_is_a_sentence_is_left_out(void **state)
{
	struct world w = world(*state);
	Avvik__V1__Attachment attachment = AVVIK__V1__ATTACHMENT__INIT, *list[] = {&attachment};
	Avvik__V1__FileReport *report = REPORT(good, *state);
	report->n_attachments = 1;
	report->attachments = list;
	attachment.media_type = (char *)(uintptr_t) "application/pdf";
	check(&w, report);
	support_assert_no_faults(&w.faults);
	assert_string_equal(attachments_filed(list, 1, *state)[0]->media_type, "application/pdf");
	attachment.media_type = (char *)(uintptr_t) "bild på Anna";
	check(&w, report);
	assert_faults(&w.faults, "malformed attachments[0].media_type|application/pdf");
	assert_string_equal(attachments_filed(list, 1, *state)[0]->media_type, "");
}

static void a_supplement_that_says_nothing_is_refused(void **state)
{
	struct av_faults faults;
	Avvik__V1__SupplementReport supplement = AVVIK__V1__SUPPLEMENT_REPORT__INIT;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	av_faults_init(&faults, *state);
	assert_int_equal(supplement_check(&supplement, 1000, &faults), AV_INVALID);
	assert_faults(&faults, "required narrative.description|added");
	av_faults_init(&faults, *state);
	supplement.narrative = &narrative;
	narrative.description = (char *)(uintptr_t) "x";
	supplement.received_at_ms = 1000 + REPORT_FUTURE_MS + 1;
	assert_int_equal(supplement_check(&supplement, 1000, &faults), AV_OK);
	assert_faults(&faults, "out_of_range received_at_ms|future");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		support_test(a_report_without_fault_is_placed_named_and_answerable),
		support_test(each_faulty_unit_leaves_the_report_unplaced),
		support_test(without_a_directory_the_report_waits_to_be_placed),
		support_test(only_lex_sarah_asks_for_a_named_reporter),
		support_test(a_mail_address_that_the_table_faulted_is_no_contact),
		support_test(a_report_without_description_is_kept_with_that_fault),
		support_test(odd_times_are_kept_as_sent_with_a_fault_each),
		support_test(a_future_measure_is_named_by_its_place),
		support_test(a_time_that_is_none_does_not_become_the_day_it_was_received),
		support_test(categories_are_held_against_the_rule_pack),
		support_test(what_is_no_code_stays_out_of_the_event_and_is_handed_on_to_be_sealed),
		support_test(a_media_type_that_is_a_sentence_is_left_out),
		support_test(a_supplement_that_says_nothing_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
