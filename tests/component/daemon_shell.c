/* daemon_shell.c - the shell around turns, as a real process with real sockets: start, order, drain, revoke,
 * backup */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <avvik/client.h>
#include "base/clock.h"
#include "bus/socket.h"
#include "daemon/folder.h"
#include "daemon/settings.h"
#include "turn_world.h"
#include "patience.h"

static char folder[64];
static struct av_keypair server, sender, admin;
static struct av_service service;
static pid_t child;
static char command_endpoint[120];

/* --- an instance --- */

static void file_write(const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void principals_write(bool with_sender)
{
	char text[1024];
	snprintf(text, sizeof text,
		"principals:\n  - {name: admin, kind: administrator, keys: [{key: '%s'}], rights: "
		"[administer, status]}\n",
		admin.public_key);
	size_t at = strlen(text);
	if (with_sender)
		snprintf(text + at, sizeof text - at,
			"  - {name: publisher, kind: publisher, keys: [{key: '%s'}], rights: [publish, "
			"status]}\n",
			sender.public_key);
	/* As an administrator's editor does: under another name, then renamed. */
	char from[200], to[200];
	file_write("principals.new", text);
	snprintf(from, sizeof from, "%s/principals.new", folder);
	snprintf(to, sizeof to, "%s/principals.yaml", folder);
	assert_int_equal(rename(from, to), 0);
}

static void instance_make(void)
{
	unsigned char public_key[32], secret[64], master[32];
	struct av_random random = av_random_system();
	char path[200], text[400];
	snprintf(folder, sizeof folder, "/tmp/avvik-shell-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/keys", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(av_crypto_start(), AV_OK);
	assert_int_equal(av_keypair_make(&server), AV_OK);
	assert_int_equal(av_keypair_make(&sender), AV_OK);
	assert_int_equal(av_keypair_make(&admin), AV_OK);
	snprintf(path, sizeof path, "%s/keys/intake.curve", folder);
	assert_int_equal(av_keypair_save(path, &server), AV_OK);
	av_sign_keypair(&random, public_key, secret);
	snprintf(path, sizeof path, "%s/keys/intake.sign", folder);
	assert_int_equal(av_key_file_save(path, secret, sizeof secret), AV_OK);
	av_random_fill(&random, master, sizeof master);
	snprintf(path, sizeof path, "%s/keys/master.key", folder);
	assert_int_equal(av_key_file_save(path, master, sizeof master), AV_OK);
	snprintf(command_endpoint, sizeof command_endpoint, "ipc://%s/command", folder);
	snprintf(text, sizeof text,
		"instance: test\nlog_level: error\nintake:\n  command: %s\n  feed: ipc://%s/feed\nlimits:\n  "
		"map_megabytes: 256\n",
		command_endpoint, folder);
	file_write("avvik.yaml", text);
	principals_write(true);
}

/* --- the process --- */

static int daemon_call(const char *word, const char *value)
{
	char settings[200];
	snprintf(settings, sizeof settings, "%s/avvik.yaml", folder);
	char *argv[] = {(char *)"avvik-intake", (char *)"--settings", settings, (char *)(uintptr_t)word,
		(char *)(uintptr_t)value, NULL};
	optind = 1;
	return av_daemon_main(&service, word ? (value ? 5 : 4) : 3, argv);
}

static pid_t spawn(const char *word, const char *value)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (word && !freopen("/dev/null", "w", stdout))
			_exit(99);
		_exit(daemon_call(word, value));
	}
	return pid;
}

static int ended(pid_t pid)
{
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int run(const char *word, const char *value)
{
	return ended(spawn(word, value));
}

static struct av_client *client_open(const struct av_keypair *keys)
{
	struct av_client *client;
	struct av_client_options options = {.endpoint = command_endpoint,
		.server_key = server.public_key,
		.public_key = keys->public_key,
		.secret_key = keys->secret_key,
		.timeout_ms = 30000};
	assert_int_equal(av_client_open(&options, &client), AV_OK);
	return client;
}

static Avvik__V1__Reply *ask(struct av_client *client, const Avvik__V1__Command *command)
{
	Avvik__V1__Reply *reply = NULL;
	int status = av_client_call(client, command, &reply);
	if (status != AV_OK)
		fail_msg("no reply: %s", av_status_name(status));
	return reply;
}

static void free_reply(Avvik__V1__Reply *reply)
{
	avvik__v1__reply__free_unpacked(reply, NULL);
}

static Avvik__V1__Reply *get_status(struct av_client *client)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetStatus status = AVVIK__V1__GET_STATUS__INIT;
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_STATUS;
	command.get_status = &status;
	Avvik__V1__Reply *reply = ask(client, &command);
	assert_int_equal(reply->body_case, AVVIK__V1__REPLY__BODY_STATUS_FOUND);
	return reply;
}

static void file_command(Avvik__V1__Command *command, Avvik__V1__FileReport *report, const char *reference)
{
	avvik__v1__command__init(command);
	avvik__v1__file_report__init(report);
	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	report->unit = (char *)(uintptr_t) "north";
	command->reference = (char *)(uintptr_t)reference;
	command->body_case = AVVIK__V1__COMMAND__BODY_FILE_REPORT;
	command->file_report = report;
}

static Avvik__V1__Reply *file(struct av_client *client, const char *reference)
{
	Avvik__V1__Command command;
	Avvik__V1__FileReport report;
	file_command(&command, &report, reference);
	return ask(client, &command);
}

static int open_shell(void **state)
{
	AV_UNUSED(state);
	service = toy_service;
	service.name = "intake";
	service.event_count = 0;
	instance_make();
	child = spawn(NULL, NULL);
	return 0;
}

static int close_shell(void **state)
{
	AV_UNUSED(state);
	if (child > 0) {
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
	}
	folder_remove(folder);
	return 0;
}

/* --- what it promises --- */

static void it_answers_keeps_and_repeats(void **state)
{
	AV_UNUSED(state);
	struct av_client *client = client_open(&sender);
	int64_t started_ms = av_clock_monotonic_ms();
	Avvik__V1__Reply *reply = file(client, "r1");
	assert_true(av_clock_monotonic_ms() - started_ms < 3000 * (int64_t)test_patience());
	harness_want(reply, STATUS(DONE));
	assert_non_null(reply->report_accepted->receipt);
	free_reply(reply);
	kill(child, SIGKILL); /* acknowledged is on disk */
	waitpid(child, NULL, 0);
	child = spawn(NULL, NULL);
	reply = file(client, "r1");
	harness_want(reply, STATUS(DONE));
	assert_true(reply->repeated);
	free_reply(reply);
	av_client_close(&client);
}

static void status_tells_what_stands(void **state)
{
	AV_UNUSED(state);
	struct av_client *client = client_open(&sender);
	free_reply(file(client, "r1"));
	Avvik__V1__Reply *reply = get_status(client);
	Avvik__V1__StatusFound *found = reply->status_found;
	assert_string_equal(found->daemon, "intake");
	assert_string_equal(found->instance, "test");
	assert_true(found->head >= 2);
	assert_int_equal(found->chain_hash.len, 32);
	assert_int_equal(found->signing_key.len, 32);
	assert_int_equal(found->epoch_id.len, 16);
	assert_true(found->started_at_ms > 0);
	assert_int_equal(found->store->map_bytes, 256 * 1024 * 1024);
	assert_true(found->quiet);
	double turns = 0, queue = -1;
	for (size_t i = 0; i < found->n_metrics; i++) {
		if (strcmp(found->metrics[i]->name, "turns_total") == 0)
			turns = found->metrics[i]->value;
		if (strcmp(found->metrics[i]->name, "queue_items") == 0)
			queue = found->metrics[i]->value;
	}
	assert_true(turns >= 1);
	assert_true(queue == 0);
	free_reply(reply);
	av_client_close(&client);
}

static void at_the_end_everything_accepted_is_answered(void **state)
{
	enum { COUNT = 500 };
	static char references[COUNT][16];
	int done = 0, busy = 0;
	AV_UNUSED(state);
	struct av_client *client = client_open(&sender);
	free_reply(file(client, "first"));
	for (int i = 0; i < COUNT; i++) {
		Avvik__V1__Command command;
		Avvik__V1__FileReport report;
		uint64_t number;
		snprintf(references[i], sizeof references[i], "r%d", i);
		file_command(&command, &report, references[i]);
		assert_int_equal(av_client_send(client, &command, &number), AV_OK);
		if (i == COUNT / 2)
			kill(child, SIGTERM);
	}
	Avvik__V1__Reply *reply;
	while (done + busy < COUNT && av_client_receive(client, 2000, &reply) == AV_OK) {
		if (reply->status == STATUS(BUSY)) { /* came after the end had begun */
			assert_true(reply->retry_after_ms > 0);
			busy++;
		} else {
			harness_want(reply, STATUS(DONE));
			done++;
		}
		free_reply(reply);
	}
	assert_int_equal(ended(child), 0);
	/* What was answered is there; what was not answered may be sent again. */
	child = spawn(NULL, NULL);
	int repeated = 0;
	av_client_close(&client);
	client = client_open(&sender);
	for (int i = 0; i < COUNT; i++) {
		reply = file(client, references[i]);
		harness_want(reply, STATUS(DONE));
		repeated += reply->repeated;
		free_reply(reply);
	}
	assert_int_equal(repeated, done);
	av_client_close(&client);
}

static void a_revoked_key_is_refused_on_its_open_connection(void **state)
{
	AV_UNUSED(state);
	struct av_client *client = client_open(&sender), *watcher = client_open(&admin);
	Avvik__V1__Reply *reply = file(client, "r1");
	harness_want(reply, STATUS(DONE));
	free_reply(reply);
	principals_write(false);
	kill(child, SIGHUP);
	bool refused = false;
	for (int i = 0; i < 100 && !refused; i++) {
		char reference[16];
		snprintf(reference, sizeof reference, "s%d", i);
		reply = file(client, reference);
		refused = reply->status == STATUS(FORBIDDEN);
		free_reply(reply);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	assert_true(refused);
	av_client_close(&client);
	av_client_close(&watcher);
}

static bool has_issue(struct av_client *client, const char *code)
{
	Avvik__V1__Reply *reply = get_status(client);
	bool found = false;
	for (size_t i = 0; i < reply->status_found->n_issues; i++)
		found |= strcmp(reply->status_found->issues[i]->code, code) == 0;
	free_reply(reply);
	return found;
}

static void want_issue(struct av_client *client, const char *code, bool want)
{
	for (int i = 0; i < 150 && has_issue(client, code) != want; i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	assert_int_equal(has_issue(client, code), want);
}

/* Those in force stay, and health tells of it until the file is good again. */
static void a_faulty_or_missing_file_of_principals_changes_nothing_but_the_health(void **state)
{
	AV_UNUSED(state);
	struct av_client *watcher = client_open(&admin);
	char path[200];
	want_issue(watcher, "principals_invalid", false); /* it is up */
	file_write("principals.yaml", "principals:\n  - {name: x, rights: [everything]}\n");
	want_issue(watcher, "principals_invalid", true);
	principals_write(true);
	want_issue(watcher, "principals_invalid", false);
	snprintf(path, sizeof path, "%s/principals.yaml", folder);
	assert_int_equal(unlink(path), 0);
	want_issue(watcher, "principals_invalid", true);
	principals_write(true);
	want_issue(watcher, "principals_invalid", false);
	av_client_close(&watcher);
}

static void a_store_has_one_daemon(void **state)
{
	AV_UNUSED(state);
	struct av_client *client = client_open(&sender);
	free_reply(file(client, "r1"));
	assert_int_equal(run(NULL, NULL), 78);
	Avvik__V1__Reply *reply = file(client, "r2");
	harness_want(reply, STATUS(DONE));
	free_reply(reply);
	av_client_close(&client);
}

/* Turns every bit of a backup's pages over, but for the first two: once more, and it is what it was. */
static void turn_over(const char *backup)
{
	char file[200];
	struct stat info;
	snprintf(file, sizeof file, "%s/data/data.mdb", backup);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &info) == 0);
	unsigned char *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(bytes != MAP_FAILED);
	for (size_t at = 2 * 4096; at < (size_t)info.st_size; at++)
		bytes[at] = (unsigned char)~bytes[at];
	munmap(bytes, (size_t)info.st_size);
	close(fd);
}

static void a_backup_is_made_while_it_runs_and_restored_when_not(void **state)
{
	char backup[100];
	AV_UNUSED(state);
	struct av_client *client = client_open(&sender);
	free_reply(file(client, "r1"));
	assert_int_equal(run("--verify", NULL), 0);
	snprintf(backup, sizeof backup, "%s/backup", folder);
	assert_int_equal(run("--backup", backup), 0);
	free_reply(file(client, "lost"));
	assert_int_not_equal(run("--restore", backup), 0); /* it runs */
	Avvik__V1__Reply *before = get_status(client);
	kill(child, SIGTERM);
	assert_int_equal(ended(child), 0);
	turn_over(backup);
	assert_int_not_equal(run("--restore", backup), 0); /* it is damaged */
	turn_over(backup);
	assert_int_equal(run("--restore", backup), 0);
	child = spawn(NULL, NULL);
	Avvik__V1__Reply *after = get_status(client);
	assert_memory_not_equal(before->status_found->epoch_id.data, after->status_found->epoch_id.data, 16);
	free_reply(before);
	free_reply(after);
	Avvik__V1__Reply *reply = file(client, "r1");
	assert_true(reply->repeated); /* with its content and receipt */
	harness_want(reply, STATUS(DONE));
	free_reply(reply);
	reply = file(client, "lost"); /* gone, and taken anew */
	harness_want(reply, STATUS(DONE));
	assert_false(reply->repeated);
	free_reply(reply);
	assert_int_equal(run("--verify", NULL), 0);
	av_client_close(&client);
}

static void faults_at_start_are_told_by_an_exit_code(void **state)
{
	AV_UNUSED(state);
	struct av_client *client = client_open(&admin);
	free_reply(get_status(client)); /* it is up */
	av_client_close(&client);
	kill(child, SIGTERM);
	assert_int_equal(ended(child), 0);
	child = 0;
	assert_int_equal(run("--sideways", NULL), 64);
	assert_int_equal(run("--describe", NULL), 0);
	file_write("avvik.yaml", "instance: test\nclock: sundial\n");
	assert_int_equal(run(NULL, NULL), 78);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shell, close_shell)
	static const struct CMUnitTest tests[] = {
		TEST(it_answers_keeps_and_repeats),
		TEST(status_tells_what_stands),
		TEST(at_the_end_everything_accepted_is_answered),
		TEST(a_revoked_key_is_refused_on_its_open_connection),
		TEST(a_faulty_or_missing_file_of_principals_changes_nothing_but_the_health),
		TEST(a_store_has_one_daemon),
		TEST(a_backup_is_made_while_it_runs_and_restored_when_not),
		TEST(faults_at_start_are_told_by_an_exit_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
