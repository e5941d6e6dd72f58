/* notification_templates.c - templates: those that are shipped fill in, and what is wrong in one is named
 * with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "avvik/v1/rules.pb-c.h"
#include "base/macros.h"
#include "expectation.h"
#include "mail_settings.h"
#include "templates.h"
#include "wire/yaml.h"

static struct av_arena *arena;

static int start(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	return arena ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}

static void fill_values(const char *values[FIELD_COUNT])
{
	for (int i = 0; i < FIELD_COUNT; i++)
		values[i] = av_arena_printf(arena, "<%s>", template_field_name((enum template_field)i));
}

static void every_shipped_template_is_read_and_fills_in(void **state)
{
	(void)state;
	struct templates *shipped = templates_open(TEMPLATE_FOLDER);
	const char *values[FIELD_COUNT], *subject, *body;
	struct av_faults faults;

	av_faults_init(&faults, arena);
	templates_faults(shipped, &faults);
	if (faults.count)
		fail_msg("%s %s", faults.first->path, faults.first->text);
	assert_true(template_builtin_count >= 27);
	fill_values(values);
	for (size_t i = 0; i < template_builtin_count; i++) {
		const struct template *template = templates_find(shipped, template_builtins[i].name);
		assert_non_null(template);
		assert_int_equal(template_fill(template, values, arena, &subject, &body), AV_OK);
		if (strstr(subject, "{{") || strstr(body, "{{") || strstr(body, "\n\n\n"))
			fail_msg("%s: not filled in: %s\n%s", template->name, subject, body);
		if (!strstr(body, "<person_name>"))
			fail_msg("%s greets nobody", template->name);
		/* Nothing that could be known of the matter itself has a placeholder; this is what is left to
		 * see. */
		if (strcmp(template->name, "digest") != 0 && !strstr(body, "<number>"))
			fail_msg("%s does not say which case", template->name);
	}
	templates_close(&shipped);
}

static const char *const packs[] = {"se-2025-07", "se-2001-453"};

static const Avvik__V1__RulePack *shipped_pack(const char *version)
{
	const char *path = av_arena_printf(arena, "%s/%s.yaml", RULES_FOLDER, version);
	ProtobufCMessage *message = NULL;
	struct av_faults faults;
	struct av_yaml *yaml = NULL;

	av_faults_init(&faults, arena);
	if (av_yaml_open_file(path, &faults, &yaml) != AV_OK ||
		av_yaml_to(yaml, &avvik__v1__rule_pack__descriptor, arena, &faults, &message) != AV_OK)
		fail_msg("%s %s", faults.first->path, faults.first->text);
	av_yaml_close(&yaml);
	return (const Avvik__V1__RulePack *)message;
}

static void every_rule_of_the_shipped_packs_has_its_template(void **state)
{
	(void)state;
	struct templates *shipped = templates_open(TEMPLATE_FOLDER);

	for (size_t p = 0; p < AV_COUNT(packs); p++) {
		const Avvik__V1__RulePack *pack = shipped_pack(packs[p]);
		assert_true(pack->n_notices > 20);
		for (size_t i = 0; i < pack->n_notices; i++)
			if (!templates_find(shipped, pack->notices[i]->template_))
				fail_msg("rule %s: there is no template %s", pack->notices[i]->id,
					pack->notices[i]->template_);
	}
	templates_close(&shipped);
}

static void whatever_meets_a_deadline_has_words(void **state)
{
	(void)state;
	for (size_t p = 0; p < AV_COUNT(packs); p++) {
		const Avvik__V1__RulePack *pack = shipped_pack(packs[p]);
		assert_true(pack->n_deadlines > 10);
		for (size_t i = 0; i < pack->n_deadlines; i++)
			for (size_t m = 0; m < pack->deadlines[i]->n_met_by; m++)
				if (!expectation_words(pack->deadlines[i]->met_by[m]))
					fail_msg("%s %s: no words for anchor %d", packs[p],
						pack->deadlines[i]->id, (int)pack->deadlines[i]->met_by[m]);
	}
}

static Avvik__V1__DeadlineRule met_by(const char *name, Avvik__V1__Anchor *anchors, size_t count)
{
	Avvik__V1__DeadlineRule rule = AVVIK__V1__DEADLINE_RULE__INIT;
	rule.name = (char *)name;
	rule.met_by = anchors;
	rule.n_met_by = count;
	return rule;
}

static void what_is_expected_is_of_the_first_that_meets_it_else_its_name(void **state)
{
	(void)state;
	Avvik__V1__Anchor inquiry[] = {
		AVVIK__V1__ANCHOR__ANCHOR_INQUIRY_COMPLETED, AVVIK__V1__ANCHOR__ANCHOR_ASSESSED};
	Avvik__V1__Anchor second[] = {AVVIK__V1__ANCHOR__ANCHOR_RECEIVED, AVVIK__V1__ANCHOR__ANCHOR_DECIDED};
	Avvik__V1__Anchor none[] = {AVVIK__V1__ANCHOR__ANCHOR_RECEIVED};
	Avvik__V1__DeadlineRule rule = met_by("slutföra utredningen", inquiry, AV_COUNT(inquiry));

	assert_string_equal(
		expectation(&rule, arena), "Slutför utredningen av avvikelsen och dokumentera resultatet.");
	rule = met_by("besluta", second, AV_COUNT(second));
	assert_string_equal(expectation(&rule, arena), "Fatta beslut och dokumentera det.");
	rule = met_by("räkna nycklarna", none, AV_COUNT(none));
	assert_string_equal(expectation(&rule, arena), "Gör det som ska vara gjort i tid: räkna nycklarna.");
	assert_string_equal(expectation(NULL, arena), "Gör det som ska vara gjort i tid.");
}

static void no_mail_of_a_deadline_has_an_empty_bullet(void **state)
{
	(void)state;
	struct templates *shipped = templates_open(TEMPLATE_FOLDER);
	const char *values[FIELD_COUNT], *subject, *body;

	fill_values(values);
	for (size_t p = 0; p < AV_COUNT(packs); p++) {
		const Avvik__V1__RulePack *pack = shipped_pack(packs[p]);
		for (size_t d = 0; d < pack->n_deadlines; d++) {
			values[FIELD_EXPECTED] = expectation(pack->deadlines[d], arena);
			for (size_t i = 0; i < template_builtin_count; i++) {
				const struct template *template =
					templates_find(shipped, template_builtins[i].name);
				assert_int_equal(
					template_fill(template, values, arena, &subject, &body), AV_OK);
				if (strstr(body, "- \n") || strstr(body, "-\n"))
					fail_msg("%s of %s: an empty bullet\n%s", template->name,
						pack->deadlines[d]->id, body);
			}
		}
	}
	templates_close(&shipped);
}

static void a_faulty_template_is_named_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} rows[] = {
		{"Subject: a\n\nHej {{numbr}}\n", 3, "{{numbr}}"},
		{"Subject: a {{nope}}\n\nHej\n", 1, "{{nope}}"},
		{"Subject: a\n\n1\n2\n{{number\n}}\n", 5, "without its }}"},
		{"Subject: a\n\n\n\n{{number", 5, "without its }}"},
		{"Hej\n\nHej\n", 1, "Subject:"},
		{"Subject: \n\nHej\n", 1, "Subject:"},
		{"Subject: a\nHej\n", 2, "not empty"},
		{"Subject: a\n\n", 3, "no body"},
		{"Subject: a\n\nx\n\xff\n", 4, "UTF-8"},
		{"", 1, "Subject:"},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct template_faults faults = {.count = 0};
		struct template parsed;
		assert_int_equal(
			template_parse("x", av_bytes_of(rows[i].text), arena, &faults, &parsed), AV_INVALID);
		if (faults.count != 1 || faults.list[0].line != rows[i].line ||
			!strstr(faults.list[0].text, rows[i].says))
			fail_msg("row %zu: got %zu faults, line %u: %s; want line %u: %s", i, faults.count,
				faults.list[0].line, faults.list[0].text, rows[i].line, rows[i].says);
	}
}

static void a_note_that_does_not_apply_leaves_no_gap(void **state)
{
	(void)state;
	struct template_faults faults = {.count = 0};
	struct template parsed;
	const char *values[FIELD_COUNT] = {NULL}, *subject, *body;

	assert_int_equal(
		template_parse("x",
			av_bytes_of("Subject: Nr {{number}}\r\n\r\nHej\n\n{{late_note}}\n\n{{deputy_note}} "
				    "{{late_note}}\nslut {{due}}\n"),
			arena, &faults, &parsed),
		AV_OK);
	values[FIELD_NUMBER] = "7";
	assert_int_equal(template_fill(&parsed, values, arena, &subject, &body), AV_OK);
	assert_string_equal(subject, "Nr 7");
	assert_string_equal(body, "Hej\n\nslut \n");
	values[FIELD_LATE_NOTE] = "Sent.";
	assert_int_equal(template_fill(&parsed, values, arena, &subject, &body), AV_OK);
	assert_string_equal(body, "Hej\n\nSent.\n\n Sent.\nslut \n");
	values[FIELD_NUMBER] = "{{due}}"; /* what is filled in is not filled in again */
	assert_int_equal(template_fill(&parsed, values, arena, &subject, &body), AV_OK);
	assert_string_equal(subject, "Nr {{due}}");
	values[FIELD_NUMBER] = "7\n8"; /* a subject stays a line */
	assert_int_equal(template_fill(&parsed, values, arena, &subject, &body), AV_OK);
	assert_string_equal(subject, "Nr 7 8");
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char *path = av_arena_printf(arena, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void an_administrators_file_goes_first_and_a_faulty_one_leaves_the_one_before(void **state)
{
	(void)state;
	char folder[] = "/tmp/avvik-templates-XXXXXX";
	struct av_faults faults;

	assert_non_null(mkdtemp(folder));
	write_file(folder, "digest.sv.txt", "Subject: one\n\nHej\n");
	struct templates *templates = templates_open(folder);
	assert_string_equal(templates_find(templates, "digest")->subject, "one");
	assert_non_null(templates_find(templates, "deadline-warning"));
	write_file(folder, "digest.sv.txt", "Subject: another\n\nHej {{nobody}}\n");
	templates_refresh(templates, 10000);
	assert_string_equal(templates_find(templates, "digest")->subject, "one");
	av_faults_init(&faults, arena);
	assert_int_equal(templates_faults(templates, &faults), 1);
	assert_string_equal(faults.first->path, "digest.sv.txt:3");
	write_file(folder, "digest.sv.txt", "Subject: the third one\n\nHej\n");
	templates_refresh(templates, 11000); /* too soon to look again */
	assert_string_equal(templates_find(templates, "digest")->subject, "one");
	templates_refresh(templates, 13000);
	assert_string_equal(templates_find(templates, "digest")->subject, "the third one");
	assert_int_equal(templates_faults(templates, &faults), 0);
	templates_close(&templates);
	unlink(av_arena_printf(arena, "%s/digest.sv.txt", folder));
	rmdir(folder);
}

static void settings_that_cannot_send_are_faults_with_a_remedy(void **state)
{
	(void)state;
	static const struct {
		const char *transport, *server, *tls, *from, *user, *password_file, *fault;
	} rows[] = {
		{"maildir", "", "", "", "", "", NULL},
		{"", "", "", "", "", "", NULL},
		{"pigeon", "", "", "", "", "", "mail.transport"},
		{"smtp", "smtp://mail.lindaker.se:587", "required", "avvik@lindaker.se", "", "", NULL},
		{"smtp", "smtps://mail.lindaker.se", "", "avvik@lindaker.se", "", "", NULL},
		{"smtp", "", "", "avvik@lindaker.se", "", "", "mail.server"},
		{"smtp", "http://mail.lindaker.se", "", "avvik@lindaker.se", "", "", "mail.server"},
		{"smtp", "smtp://user:word@mail.lindaker.se", "", "avvik@lindaker.se", "", "", "mail.server"},
		{"smtp", "smtp://mail.lindaker.se", "none", "avvik@lindaker.se", "", "", "mail.tls"},
		{"smtp", "smtp://127.evil.example:25", "none", "avvik@lindaker.se", "", "", "mail.tls"},
		{"smtp", "smtp://localhost.evil.example", "none", "avvik@lindaker.se", "", "", "mail.tls"},
		{"smtp", "smtp://127.0.0.1:2525", "none", "avvik@lindaker.se", "", "", NULL},
		{"smtp", "smtp://localhost:2525", "none", "avvik@lindaker.se", "", "", NULL},
		{"smtp", "smtp://[::1]:2525", "none", "avvik@lindaker.se", "", "", NULL},
		{"smtp", "smtp://mail.lindaker.se", "perhaps", "avvik@lindaker.se", "", "", "mail.tls"},
		{"smtp", "smtp://mail.lindaker.se", "", "", "", "", "mail.from"},
		{"smtp", "smtp://mail.lindaker.se", "", "avvik@lindaker.se", "avvik", "",
			"mail.password_file"},
		{"smtp", "smtp://mail.lindaker.se", "", "avvik@lindaker.se", "avvik", "/nonexistent",
			"mail.password_file"},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		Avvik__V1__Settings settings = AVVIK__V1__SETTINGS__INIT;
		Avvik__V1__Mail mail = AVVIK__V1__MAIL__INIT;
		struct av_faults faults;
		av_faults_init(&faults, arena);
		settings.mail = &mail;
		mail.transport = (char *)rows[i].transport;
		mail.server = (char *)rows[i].server;
		mail.tls = (char *)rows[i].tls;
		mail.from = (char *)rows[i].from;
		mail.user = (char *)rows[i].user;
		mail.password_file = (char *)rows[i].password_file;
		int status = check_mail_settings(&settings, &faults);
		const char *got = faults.first ? faults.first->path : "none",
			   *want = rows[i].fault ? rows[i].fault : "none";
		if (strcmp(got, want) != 0 || status != (rows[i].fault ? AV_INVALID : AV_OK))
			fail_msg("row %zu: got %s, want %s", i, got, want);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_shipped_template_is_read_and_fills_in),
		T(every_rule_of_the_shipped_packs_has_its_template),
		T(whatever_meets_a_deadline_has_words),
		T(what_is_expected_is_of_the_first_that_meets_it_else_its_name),
		T(no_mail_of_a_deadline_has_an_empty_bullet),
		T(a_faulty_template_is_named_with_its_line),
		T(a_note_that_does_not_apply_leaves_no_gap),
		T(an_administrators_file_goes_first_and_a_faulty_one_leaves_the_one_before),
		T(settings_that_cannot_send_are_faults_with_a_remedy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
