/* daemon_settings.c - avvik.yaml: defaults, every fault with its place and a remedy */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/settings.h"

static char folder[] = "/tmp/avvik-settings-XXXXXX";
static char file[64];
static struct av_arena *arena;
static struct av_faults faults;

static int setup(void **state)
{
	AV_UNUSED(state);
	arena = av_arena_create(0);
	return 0;
}

static int teardown(void **state)
{
	AV_UNUSED(state);
	av_arena_destroy(&arena);
	unlink(file);
	return 0;
}

static int load(const char *text, Avvik__V1__Settings **ret_settings)
{
	FILE *out = fopen(file, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	av_faults_init(&faults, arena);
	return av_settings_load(file, arena, &faults, ret_settings);
}

static void what_is_left_out_has_its_default(void **state)
{
	Avvik__V1__Settings *settings = NULL;
	AV_UNUSED(state);
	assert_int_equal(load("instance: lindaker\n", &settings), AV_OK);
	assert_string_equal(settings->clock, "real");
	assert_string_equal(settings->log_level, "info");
	assert_string_equal(settings->state, folder);
	assert_int_equal(settings->limits->map_megabytes, AV_MAP_MEGABYTES);
	assert_int_equal(settings->limits->turn_items, AV_TURN_ITEMS);
	assert_string_equal(settings->mail->transport, "maildir");
	assert_string_equal(settings->principals, av_arena_printf(arena, "%s/principals.yaml", folder));
	assert_string_equal(settings->mail->maildir, av_arena_printf(arena, "%s/mail", folder));
	assert_string_equal(av_state_path(settings, "intake", AV_FOLDER_DATA, arena),
		av_arena_printf(arena, "%s/intake/data", folder));
	assert_non_null(av_settings_endpoints(settings, "reporting"));
	assert_null(av_settings_endpoints(settings, "nobody"));
}

static void relative_paths_are_beside_the_file(void **state)
{
	Avvik__V1__Settings *settings = NULL;
	AV_UNUSED(state);
	assert_int_equal(load("instance: a\nstate: var\nkeys: /etc/keys\n", &settings), AV_OK);
	assert_string_equal(settings->state, av_arena_printf(arena, "%s/var", folder));
	assert_string_equal(settings->keys, "/etc/keys");
}

/* The fault names the place in the file and the field, and says what to do. */
static void every_fault_is_listed(void **state)
{
	static const struct {
		const char *text, *want_path, *want_text;
	} rows[] = {
		{"production: false\n", "instance", "the instance"},
		{"instance: Big_Town\n", "instance", "a-z"},
		{"instance: a\nclock: sundial\n", "clock", "real"},
		{"instance: a\nclock: stepped\nproduction: true\n", "clock", "production"},
		{"instance: a\nlog_level: loud\n", "log_level", "debug"},
		{"instance: a\nintake:\n  command: 127.0.0.1:7101\n", "intake.command", "tcp://"},
		{"instance: a\nintake:\n  command: tcp://127.0.0.1:70000\n", "intake.command", "tcp://"},
		{"instance: a\nworkflow:\n  feed: ipc://relative\n", "workflow.feed", "ipc:///"},
		{"instance: a\nlimits:\n  map_megabytes: 1\n", "limits.map_megabytes", "from 16"},
		{"instance: a\nlimits:\n  turn_milliseconds: 5000\n", "limits.turn_milliseconds", "1000"},
		{"instance: a\nintake:\n  command: tcp://h:1\n  feed: tcp://h:1\n", "intake.feed", "its own"},
		{"instance: a\ninstanse: b\n", "instanse", ""},
	};
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		Avvik__V1__Settings *settings = NULL;
		assert_true(load(rows[i].text, &settings) < 0);
		bool found = false;
		for (const struct av_fault *fault = faults.first; fault && !found; fault = fault->next)
			found = strstr(fault->path, rows[i].want_path) &&
				strstr(fault->text, rows[i].want_text);
		if (!found)
			fail_msg("row %zu: got \"%s: %s\", want \"%s: %s\"", i,
				faults.first ? faults.first->path : "nothing",
				faults.first ? faults.first->text : "", rows[i].want_path, rows[i].want_text);
		assert_null(settings);
	}
}

static void several_faults_are_told_at_once_with_their_lines(void **state)
{
	Avvik__V1__Settings *settings = NULL;
	AV_UNUSED(state);
	assert_int_equal(load("instance: a\nclock: sundial\n\nlog_level: loud\n", &settings), AV_INVALID);
	assert_int_equal(faults.count, 2);
	assert_non_null(strstr(faults.first->path, ":2:"));
	assert_non_null(strstr(faults.first->next->path, ":4:"));
}

static void keys_are_looked_for_among_the_credentials_first(void **state)
{
	char credentials[] = "/tmp/avvik-credentials-XXXXXX", path[80];
	AV_UNUSED(state);
	Avvik__V1__Settings *settings = av_settings_default("a", folder, arena);
	assert_non_null(mkdtemp(credentials));
	snprintf(path, sizeof path, "%s/intake.sign", credentials);
	fclose(fopen(path, "w"));
	setenv("CREDENTIALS_DIRECTORY", credentials, 1);
	assert_string_equal(av_key_path(settings, AV_FILE_SIGN, "intake", arena), path);
	assert_string_equal(av_key_path(settings, AV_FILE_SIGN, "workflow", arena),
		av_arena_printf(arena, "%s/keys/workflow.sign", folder));
	assert_string_equal(av_key_path(settings, AV_FILE_MASTER, NULL, arena),
		av_arena_printf(arena, "%s/keys/master.key", folder));
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(path);
	rmdir(credentials);
}

static void a_file_that_is_not_there_is_said_so(void **state)
{
	Avvik__V1__Settings *settings = NULL;
	AV_UNUSED(state);
	av_faults_init(&faults, arena);
	assert_true(av_settings_load("/nowhere/avvik.yaml", arena, &faults, &settings) < 0);
	assert_true(faults.count > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(what_is_left_out_has_its_default),
		TEST(relative_paths_are_beside_the_file),
		TEST(every_fault_is_listed),
		TEST(several_faults_are_told_at_once_with_their_lines),
		TEST(keys_are_looked_for_among_the_credentials_first),
		TEST(a_file_that_is_not_there_is_said_so),
	};
	if (!mkdtemp(folder))
		return 1;
	snprintf(file, sizeof file, "%s/avvik.yaml", folder);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
