/* wire_rules.c - the table of rules against the descriptors and the .proto files, and what it refuses */
#include "wire_samples.h"

#include <ctype.h>
#include "base/date.h"
#include "wire/shape.h"

static const struct av_shape *shape_named(const char *name, size_t size)
{
	const struct av_shape *shape;
	for (size_t i = 0; (shape = av_shape_at(i)); i++)
		if (strlen(shape->type->short_name) == size &&
			strncmp(shape->type->short_name, name, size) == 0)
			return shape;
	return NULL;
}

static void every_row_is_of_a_field_and_its_flags_fit_the_type(void **state)
{
	const struct av_field_rule *row, *before = NULL;
	AV_UNUSED(state);
	for (size_t i = 0; (row = av_rule_row_at(i)); before = row, i++) {
		const struct av_shape *shape = shape_named(row->message, strlen(row->message));
		if (!shape)
			fail_msg("row %zu: no message %s", i, row->message);
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(shape->type, row->field);
		if (!field)
			fail_msg("row %zu: %s has no field %s", i, row->message, row->field);
		if (av_rule_of(shape->type, field) != row)
			fail_msg("row %zu: %s.%s stands twice, or its message's rows not together", i,
				row->message, row->field);
		bool text = field->type == PROTOBUF_C_TYPE_STRING,
		     bytes = field->type == PROTOBUF_C_TYPE_BYTES;
		if ((row->flags & (AV_CODE | AV_MAIL | AV_LINE) && !text) ||
			(row->flags & (AV_ID | AV_HASH) && !bytes))
			fail_msg("%s.%s: the flags do not fit the type", row->message, row->field);
		if (row->item_max && field->label != PROTOBUF_C_LABEL_REPEATED)
			fail_msg("%s.%s: item_max of a field that is not repeated", row->message, row->field);
		if (row->what && !(row->flags & AV_REQUIRED))
			fail_msg("%s.%s: says what to give, but is not required", row->message, row->field);
	}
	assert_non_null(before);
}

/* The number in "[max 32 768]", 0 when the line has none. */
static unsigned long bound_in(const char *line)
{
	const char *at = strstr(line, "[max ");
	unsigned long bound = 0;
	for (at = at ? at + 5 : ""; isdigit((unsigned char)*at) || *at == ' '; at++)
		if (*at != ' ')
			bound = bound * 10 + (unsigned long)(*at - '0');
	return bound;
}

/* "required", alone or before ':' or '[': the words after it ("for orders", "when …") would make it depend.
 */
static bool required_in(const char *line)
{
	const char *at = strstr(line, "// required");
	if (!at)
		return false;
	at += strlen("// required");
	at += strspn(at, " ");
	return *at == '\0' || *at == ':' || *at == '[';
}

static size_t check_proto(const char *name)
{
	char path[512], *save = NULL;
	const struct av_shape *shape = NULL;
	size_t compared = 0;
	snprintf(path, sizeof path, SOURCE_DIR "/proto/avvik/v1/%s.proto", name);
	char *text = sample_file(path);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *at = line + strspn(line, " ");
		if (strncmp(at, "message ", 8) == 0)
			shape = shape_named(at + 8, strcspn(at + 8, " {"));
		const char *equals = strstr(line, " = ");
		if (!shape || !equals || (bound_in(line) == 0 && !required_in(line)))
			continue;
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
			shape->type, (unsigned)strtoul(equals + 3, NULL, 10));
		assert_non_null(field);
		const struct av_field_shape *f = &shape->fields[field - shape->type->fields];
		unsigned long want = bound_in(line), got = f->repeated ? f->items : f->max;
		if (want != 0 && got != want)
			fail_msg("%s.%s: the rules allow %lu, %s.proto says %lu", shape->type->short_name,
				field->name, got, name, want);
		if (required_in(line) && !(f->flags & AV_REQUIRED))
			fail_msg("%s.%s: %s.proto says that it is required, the rules do not",
				shape->type->short_name, field->name, name);
		compared++;
	}
	free(text);
	return compared;
}

static void the_bounds_in_the_proto_files_are_those_of_the_table(void **state)
{
	static const char *const files[] = {"admin", "case", "command", "common", "content", "deadline",
		"directory", "envelope", "feed", "notice", "report", "rules", "settings", "summary"};
	size_t compared = 0;
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(files); i++)
		compared += check_proto(files[i]);
	assert_true(compared > 50);
}

static void the_last_day_is_the_end_of_2200(void **state)
{
	AV_UNUSED(state);
	assert_int_equal(AV_LAST_DAY, av_day_of((struct av_date){2200, 12, 31}));
	assert_true(AV_LAST_INSTANT == (av_day_of((struct av_date){2201, 1, 1})) * AV_DAY_MS - 1);
}

static void a_report_without_a_fault_has_none(void **state)
{
	struct av_faults faults;
	av_faults_init(&faults, *state);
	assert_int_equal(av_rules_check(&sample_report(*state)->base, &faults), AV_OK);
	assert_no_faults(&faults);
}

static void what_is_missing_unknown_or_too_long_refuses_the_report(void **state)
{
	static char long_text[40001];
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL, 77, AVVIK__V1__LAW__LAW_UNSPECIFIED};
	Avvik__V1__FileReport *report = sample_report(*state);
	Avvik__V1__Attachment attachment = AVVIK__V1__ATTACHMENT__INIT, *attachments[21];
	struct av_faults faults;
	memset(long_text, 'x', 40000);
	for (size_t i = 0; i < AV_COUNT(attachments); i++)
		attachments[i] = &attachment;
	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_UNSPECIFIED;
	report->concerns = 1000;
	report->laws = laws;
	report->n_laws = AV_COUNT(laws);
	report->attachments = attachments;
	report->n_attachments = AV_COUNT(attachments);
	report->narrative->description = long_text;
	report->narrative->immediate_measures[0]->text = NULL; /* as an empty one */
	av_faults_init(&faults, *state);
	assert_int_equal(av_rules_check(&report->base, &faults), AV_INVALID);
	assert_int_equal(faults.count, 6);
	assert_fault(&faults, FAULT(REQUIRED), "type",
		"is missing: give one of deviation, lex_sarah, lex_sarah_risk");
	assert_fault(&faults, FAULT(UNKNOWN_VALUE), "concerns", "give one of one_person, group, other");
	assert_fault(&faults, FAULT(UNKNOWN_VALUE), "laws[1]", "give one of sol, lss");
	assert_fault(&faults, FAULT(REQUIRED), "laws[2]", "give one of");
	assert_fault(&faults, FAULT(TOO_LONG), "attachments", "has 21 items: at most 20");
	assert_fault(&faults, FAULT(TOO_LONG), "narrative.description",
		"is 40 000 bytes: at most 32 768 are kept");
	/* The answer is the same when nobody wants the list. */
	assert_int_equal(av_rules_check(&report->base, NULL), AV_INVALID);
}

static void a_report_without_a_description_is_kept(void **state)
{
	Avvik__V1__FileReport *report = sample_report(*state);
	struct av_faults faults;
	av_faults_init(&faults, *state);
	report->narrative->description = TEXT(protobuf_c_empty_string);
	assert_int_equal(av_rules_check(&report->base, &faults), AV_OK);
	report->narrative = NULL;
	assert_int_equal(av_rules_check(&report->base, &faults), AV_OK);
	assert_no_faults(&faults);
}

static void an_addition_without_its_report_or_narrative_is_refused(void **state)
{
	Avvik__V1__SupplementReport more = AVVIK__V1__SUPPLEMENT_REPORT__INIT;
	struct av_faults faults;
	av_faults_init(&faults, *state);
	assert_int_equal(av_rules_check(&more.base, &faults), AV_INVALID);
	assert_int_equal(faults.count, 2);
	assert_fault(&faults, FAULT(REQUIRED), "report_id", "is missing: give the id in the receipt");
	assert_fault(&faults, FAULT(REQUIRED), "narrative", "is missing: give the narrative");
}

static void a_report_is_not_lost_for_odd_times_and_addresses(void **state)
{
	Avvik__V1__FileReport *report = sample_report(*state);
	struct av_faults faults;
	report->noticed_at_ms = -5;
	report->occurred_from_at_ms = INT64_MAX;
	report->unit = TEXT("two\nlines");
	report->reporter->mail = TEXT("not an address");
	report->persons->affected[0]->birth_year = 38;
	av_faults_init(&faults, *state);
	assert_int_equal(av_rules_check(&report->base, &faults), AV_OK);
	assert_int_equal(faults.count, 5);
	assert_fault(&faults, FAULT(OUT_OF_RANGE), "noticed_at_ms", "between 1970 and 2200");
	assert_fault(&faults, FAULT(OUT_OF_RANGE), "occurred_from_at_ms", "between 1970 and 2200");
	assert_fault(&faults, FAULT(NOT_TEXT), "unit", "on one line");
	assert_fault(&faults, FAULT(MALFORMED), "reporter.mail", "name@example.se");
	assert_fault(&faults, FAULT(OUT_OF_RANGE), "persons.affected[0].birth_year", "give 1 900 to 2 200");
}

static void an_order_on_a_case_is_held_to_its_form(void **state)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__ActOnCase act = AVVIK__V1__ACT_ON_CASE__INIT;
	Avvik__V1__RecordEntry entry = AVVIK__V1__RECORD_ENTRY__INIT;
	unsigned char id[15] = {1};
	struct av_faults faults;
	command.on_behalf_of = TEXT("anna berg");
	av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_ACT_ON_CASE, &act.base);
	av_body_set(&act.base, AVVIK__V1__ACT_ON_CASE__ACT_RECORD_ENTRY, &entry.base);
	act.case_id = (ProtobufCBinaryData){sizeof id, id};
	entry.item = 11;
	entry.nature = AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_FACT;
	entry.source = TEXT("journal");
	entry.cause_area = TEXT("K\xc3\x96M");
	av_faults_init(&faults, *state);
	assert_int_equal(av_rules_check(&command.base, &faults), AV_INVALID);
	assert_int_equal(faults.count, 6);
	assert_fault(&faults, FAULT(MALFORMED), "on_behalf_of", "is not a code");
	assert_fault(&faults, FAULT(MALFORMED), "act_on_case.case_id", "is 15 bytes: an id is 16 bytes");
	assert_fault(&faults, FAULT(REQUIRED), "act_on_case.version_seen", "the version of the case");
	assert_fault(&faults, FAULT(OUT_OF_RANGE), "act_on_case.record_entry.item", "give 1 to 10");
	assert_fault(&faults, FAULT(REQUIRED), "act_on_case.record_entry.text", "the text of the entry");
	assert_fault(&faults, FAULT(MALFORMED), "act_on_case.record_entry.cause_area", "is not a code");
}

static void sizes_of_hashes_signatures_keys_and_ids_are_exact(void **state)
{
	static unsigned char bytes[64];
	Avvik__V1__Grant grant = AVVIK__V1__GRANT__INIT;
	Avvik__V1__PrincipalKey key = AVVIK__V1__PRINCIPAL_KEY__INIT;
	Avvik__V1__EraseContent erase = AVVIK__V1__ERASE_CONTENT__INIT;
	ProtobufCBinaryData ids[] = {{16, bytes}, {0, NULL}, {20, bytes}};
	struct av_faults faults;
	av_faults_init(&faults, *state);
	grant.body = (ProtobufCBinaryData){10, bytes};
	grant.signature = (ProtobufCBinaryData){64, bytes};
	assert_int_equal(av_rules_check(&grant.base, &faults), AV_OK);
	grant.signature.len = 63;
	assert_int_equal(av_rules_check(&grant.base, &faults), AV_INVALID);
	assert_fault(&faults, FAULT(TOO_SHORT), "signature", "is 63 bytes: give at least 64");
	key.key = TEXT("too-short");
	assert_int_equal(av_rules_check(&key.base, &faults), AV_INVALID);
	assert_fault(&faults, FAULT(TOO_SHORT), "key", "give at least 40");
	erase.case_id = ids[0];
	erase.reason = TEXT("gallring");
	erase.content_ids = ids;
	erase.n_content_ids = AV_COUNT(ids);
	assert_int_equal(av_rules_check(&erase.base, &faults), AV_INVALID);
	assert_fault(&faults, FAULT(REQUIRED), "content_ids[1]", "is missing");
	assert_fault(&faults, FAULT(MALFORMED), "content_ids[2]", "an id is 16 bytes");
}

static void only_plain_addresses_are_mail(void **state)
{
	static const struct {
		const char *mail;
		bool want;
	} rows[] = {{"a@b.se", true}, {"mira.ekdal+sol@lindaker.example", true}, {"a@b@c.se", false},
		{"@b.se", false}, {"a@", false}, {"a", false}, {"a b@c.se", false},
		{"a@c.se\nBcc: d@e.se", false}, {"<a@b.se>", false}, {"a@b.se,c@d.se", false},
		{"a\t@b.se", false}, {"\"a\"@b.se", false}};
	struct av_faults faults;
	av_faults_init(&faults, *state);
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		Avvik__V1__Person person = AVVIK__V1__PERSON__INIT;
		person.id = TEXT("a.b");
		person.mail = TEXT(rows[i].mail);
		if ((av_rules_check(&person.base, &faults) == AV_OK) != rows[i].want)
			fail_msg("%s: want %s", rows[i].mail, rows[i].want ? "taken" : "refused");
	}
}

static void an_address_that_would_break_a_command_is_none(void **state)
{
	(void)state;
	static const char *const good[] = {"a@b", "anna.berg@lindaker.se", "åsa@lindåker.se"};
	static const char *const bad[] = {
		"", "anna", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "<a@b>", "a@b,c@d"};

	for (size_t i = 0; i < AV_COUNT(good); i++)
		if (!av_is_mail(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < AV_COUNT(bad); i++)
		if (av_is_mail(bad[i]))
			fail_msg("taken: %s", bad[i]);
	assert_false(av_is_mail(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_of_a_field_and_its_flags_fit_the_type),
		cmocka_unit_test(the_bounds_in_the_proto_files_are_those_of_the_table),
		cmocka_unit_test(the_last_day_is_the_end_of_2200),
		cmocka_unit_test(an_address_that_would_break_a_command_is_none),
		cmocka_unit_test_setup_teardown(
			a_report_without_a_fault_has_none, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_unknown_or_too_long_refuses_the_report,
			sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_report_without_a_description_is_kept, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(an_addition_without_its_report_or_narrative_is_refused,
			sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_report_is_not_lost_for_odd_times_and_addresses, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			an_order_on_a_case_is_held_to_its_form, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			sizes_of_hashes_signatures_keys_and_ids_are_exact, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(only_plain_addresses_are_mail, sample_setup, sample_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
