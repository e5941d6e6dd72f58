/* report_file.c - avvik report file: many reports under way at once, each safe to send again.
 *
 * What is sent is kept until it is answered. After a silence it is sent again under the same reference: the
 * daemon knows what it has kept, and answers with the same receipt.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/clock.h"
#include "base/status.h"
#include "report_tool.h"
#include "wire/json.h"

#define WINDOW 256
#define WINDOW_MAX 1000
#define FIRST_ANSWER_MS 10000
#define ANSWER_MS 3000 /* once there has been one */
#define ROUNDS_MAX 20  /* silences in a row before giving up: about a minute */
#define PROGRESS_MS 1000
#define INPUTS_MAX 100

struct pending {
	char id[24]; /* of the message */
	char *source, *reference;
	unsigned char *packed;
	size_t size;
	UT_hash_handle hh;
};

struct filing {
	struct tool *tool;
	struct av_client *client;
	struct pending *pending;
	size_t window;
	const char *receipts; /* folder; NULL: none are kept */
	uint64_t number;
	size_t kept, repeated, remarked, refused, receipts_kept;
	int silences;
	bool unwritten; /* a receipt could not be written, which was told */
	bool answered;	/* at least once: the daemon is there and knows the key */
	int64_t told_ms;
};

static void pending_free(struct filing *filing, struct pending *one)
{
	HASH_DEL(filing->pending, one);
	free(one->source);
	free(one->reference);
	free(one->packed);
	free(one);
}

static int pending_send(struct filing *filing, const struct pending *one)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__FileReport *report = avvik__v1__file_report__unpack(NULL, one->size, one->packed);
	uint64_t number;

	if (!report)
		return AV_MEMORY;
	command.reference = one->reference;
	command.message_id = (char *)(uintptr_t)one->id;
	command.sent_at_ms = tool_now_ms(filing->tool);
	command.body_case = AVVIK__V1__COMMAND__BODY_FILE_REPORT;
	command.file_report = report;
	int status = av_client_send(filing->client, &command, &number);
	avvik__v1__file_report__free_unpacked(report, NULL);
	return status;
}

/* --- what is said --- */

static void progress(struct filing *filing, bool end)
{
	int64_t now = av_clock_monotonic_ms();

	if (!isatty(STDERR_FILENO) || (!end && now - filing->told_ms < PROGRESS_MS))
		return;
	if (filing->told_ms || !end)
		fprintf(stderr, end ? "\r%60s\r" : "\r%60s\r%zu sent, %zu kept, %zu refused", "",
			(size_t)filing->number, filing->kept, filing->refused);
	filing->told_ms = now;
}

static json_t *faults_json(struct tool *tool, const Avvik__V1__Reply *reply)
{
	json_t *list = json_array();

	for (size_t i = 0; i < reply->n_faults; i++)
		json_array_append_new(
			list, json_pack("{ssss}", "path", ask_field(tool, reply->faults[i]->path), "text",
				      reply->faults[i]->text));
	return list;
}

static void line_print(json_t *line)
{
	char *text = json_dumps(line, JSON_PRESERVE_ORDER);

	puts(text ? text : "null");
	free(text);
	json_decref(line);
}

static void kept_print(struct filing *filing, const struct pending *one, const Avvik__V1__Reply *reply)
{
	const Avvik__V1__ReportAccepted *accepted = reply->report_accepted;
	const char *id = tool_id_text(filing->tool, accepted->report_id);

	if (filing->tool->json) {
		line_print(json_pack("{sssssssbsbso}", "reference", one->reference, "status", "done",
			"report_id", id, "repeated", (int)reply->repeated, "erased", (int)accepted->erased,
			"remarks", faults_json(filing->tool, reply)));
		return;
	}
	printf("%s  %s%s%s\n", id, one->reference, reply->repeated ? "  (filed before)" : "",
		accepted->erased ? "  (erased since)" : "");
	for (size_t i = 0; i < reply->n_faults; i++)
		printf("    remark: %s: %s\n", ask_field(filing->tool, reply->faults[i]->path),
			reply->faults[i]->text);
}

static void refused_print(struct filing *filing, const struct pending *one, const Avvik__V1__Reply *reply)
{
	const char *status = av_enum_name(&avvik__v1__reply_status__descriptor, (int)reply->status);

	if (filing->tool->json) {
		line_print(json_pack("{sssssssssssoso}", "source", one->source, "reference", one->reference,
			"status", status, "text", reply->text, "report_id", "", "remarks", json_array(),
			"faults", faults_json(filing->tool, reply)));
		return;
	}
	fprintf(stderr, "%s: refused: %s%s%s (reference %s)\n", one->source, status, *reply->text ? ": " : "",
		reply->text, one->reference);
	for (size_t i = 0; i < reply->n_faults; i++)
		if (*reply->faults[i]->path)
			fprintf(stderr, "    %s: %s\n", ask_field(filing->tool, reply->faults[i]->path),
				reply->faults[i]->text);
}

static void unreadable_print(struct filing *filing, const struct report_item *item)
{
	const struct av_fault *fault = item->faults->first;

	if (filing->tool->json) {
		json_t *list = json_array();
		for (; fault; fault = fault->next)
			json_array_append_new(
				list, json_pack("{ssss}", "path", fault->path, "text", fault->text));
		line_print(json_pack("{sssssssssoso}", "source", item->source, "reference", item->reference,
			"status", "unreadable", "report_id", "", "remarks", json_array(), "faults", list));
		return;
	}
	fprintf(stderr, "%s: refused: cannot be read as a report%s%s\n", item->source,
		*item->reference ? ", reference " : "", item->reference);
	for (; fault; fault = fault->next)
		fprintf(stderr, "    %s: %s\n", fault->path, fault->text);
}

/* --- replies --- */

static int receipt_keep(
	struct filing *filing, const struct pending *one, const Avvik__V1__ReportAccepted *accepted)
{
	const char *path = av_arena_printf(filing->tool->arena, "%s/%s.json", filing->receipts,
		tool_id_text(filing->tool, accepted->report_id));

	int status = receipt_save(
		filing->tool, path, one->reference, accepted->receipt, av_bytes(one->packed, one->size));
	filing->receipts_kept += status == AV_OK;
	filing->unwritten |= status != AV_OK;
	return status;
}

static void pause_ms(uint32_t ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
}

static int take_reply(struct filing *filing, const Avvik__V1__Reply *reply)
{
	struct pending *one;
	int status = AV_OK;

	HASH_FIND_STR(filing->pending, reply->message_id, one);
	if (!one)
		return AV_OK; /* an answer to what was sent twice */
	if (reply->status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY) {
		pause_ms(AV_MIN(AV_MAX(reply->retry_after_ms, 10), 5000));
		return pending_send(filing, one);
	}
	progress(filing, true);
	if (reply->status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE &&
		reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED) {
		filing->kept++;
		filing->repeated += reply->repeated != 0;
		filing->remarked += reply->n_faults != 0;
		kept_print(filing, one, reply);
		if (filing->receipts && reply->report_accepted->receipt)
			status = receipt_keep(filing, one, reply->report_accepted);
	} else {
		filing->refused++;
		refused_print(filing, one, reply);
	}
	pending_free(filing, one);
	return status;
}

/* After a silence everything that is under way is sent again: the connection may have been lost with it. */
static int send_again(struct filing *filing)
{
	struct pending *one, *next;
	int status = AV_OK;

	if (!filing->answered || ++filing->silences >= ROUNDS_MAX)
		return AV_TIMEOUT;
	fprintf(stderr, "avvik: intake does not answer: sending %u again\n", HASH_COUNT(filing->pending));
	HASH_ITER (hh, filing->pending, one, next) {
		if (status == AV_OK)
			status = pending_send(filing, one);
		if (status == AV_BUSY)
			status = AV_OK; /* it is still queued from before */
	}
	return status;
}

/* Receives until at most `most` are under way. */
static int receive_until(struct filing *filing, size_t most)
{
	while (HASH_COUNT(filing->pending) > most) {
		Avvik__V1__Reply *reply = NULL;
		int status = av_client_receive(
			filing->client, filing->answered ? ANSWER_MS : FIRST_ANSWER_MS, &reply);
		if (status == AV_TIMEOUT) {
			status = send_again(filing);
		} else if (status == AV_OK) {
			filing->answered = true;
			filing->silences = 0;
			status = take_reply(filing, reply);
			avvik__v1__reply__free_unpacked(reply, NULL);
		}
		if (status < 0)
			return status;
		progress(filing, false);
	}
	return AV_OK;
}

/* --- items --- */

static struct pending *pending_make(struct filing *filing, const struct report_item *item)
{
	struct av_bytes packed = av_message_pack(&item->report->base, item->arena);
	const char *reference = item->reference;
	struct pending *one = calloc(1, sizeof *one);

	if (!packed.data || !one) {
		free(one);
		return NULL;
	}
	if (!*reference)
		reference = ask_reference(filing->tool, "content", packed);
	snprintf(one->id, sizeof one->id, "%llu", (unsigned long long)++filing->number);
	one->source = strdup(item->source);
	one->reference = strdup(reference);
	one->packed = malloc(packed.size + 1);
	one->size = packed.size;
	if (one->source && one->reference && one->packed) {
		memcpy(one->packed, packed.data, packed.size);
		HASH_ADD_STR(filing->pending, id, one);
		if (one->hh.tbl)
			return one;
	}
	free(one->source);
	free(one->reference);
	free(one->packed);
	free(one);
	return NULL;
}

static int on_item(void *context, const struct report_item *item)
{
	struct filing *filing = context;

	if (!item->report) {
		filing->refused++;
		progress(filing, true);
		unreadable_print(filing, item);
		return AV_OK;
	}
	int status = receive_until(filing, filing->window - 1);
	if (status < 0)
		return status;
	struct pending *one = pending_make(filing, item);
	if (!one)
		return AV_MEMORY;
	while ((status = pending_send(filing, one)) == AV_BUSY)
		if ((status = receive_until(filing, HASH_COUNT(filing->pending) - 1)) < 0)
			break;
	return status;
}

static int outcome(struct filing *filing, int status)
{
	progress(filing, true);
	if (!filing->tool->json)
		printf("%zu filed%s%s%s%s, %zu refused\n", filing->kept,
			filing->repeated ? av_arena_printf(filing->tool->arena, " (%zu of them before)",
						   filing->repeated)
					 : "",
			filing->remarked
				? av_arena_printf(filing->tool->arena, ", %zu with remarks", filing->remarked)
				: "",
			filing->receipts_kept ? ", receipts in " : "",
			filing->receipts_kept ? filing->receipts : "", filing->refused);
	if (filing->unwritten)
		return tool_fail(EXIT_REFUSED,
			"stopped, since a receipt could not be written: %u reports are sent and may have "
			"been kept. "
			"Mend the folder and run the same again: nothing is filed twice, and every receipt "
			"is given",
			HASH_COUNT(filing->pending));
	if (status == AV_TIMEOUT)
		return tool_fail(EXIT_AWAY,
			"intake does not answer at %s: %u reports may or may not have been kept; run the "
			"same again, "
			"nothing is filed twice. Is it running (`avvik status`), and is the key of \"%s\" in "
			"principals.yaml?",
			tool_endpoints(filing->tool, DAEMON_INTAKE)->command, HASH_COUNT(filing->pending),
			filing->tool->key_name);
	if (status < 0)
		return tool_fail(EXIT_REFUSED,
			"stopped: %s; %u reports may or may not have been kept: run the same again, nothing "
			"is filed twice",
			av_status_text(status), HASH_COUNT(filing->pending));
	return !filing->refused ? EXIT_DONE : filing->kept ? EXIT_SOME : EXIT_REFUSED;
}

/* Before anything is sent: a receipt that cannot be written is a report kept that nobody can prove. */
static bool receipts_folder(const char *path)
{
	struct stat about;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return tool_fail(false, "--receipts: cannot make the folder %s: %s", path, strerror(errno));
	if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
		return tool_fail(
			false, "--receipts: %s is no folder: name one, it is made when there is none", path);
	if (access(path, W_OK | X_OK) != 0)
		return tool_fail(false, "--receipts: cannot write in %s: %s", path, strerror(errno));
	return true;
}

int report_file(struct tool *tool, int argc, char **argv)
{
	const char *inputs[INPUTS_MAX] = {NULL};
	int64_t window = WINDOW;
	struct filing filing = {.tool = tool, .told_ms = av_clock_monotonic_ms()};
	const struct tool_option words[] = {
		{"receipts", OPTION_TEXT, &filing.receipts}, {"window", OPTION_NUMBER, &window}};
	struct av_client_options options;
	struct pending *one, *next;
	int status = AV_OK;

	int count = tool_options(tool, argc, argv, words, AV_COUNT(words), inputs, INPUTS_MAX);
	if (count < 0)
		return EXIT_USAGE;
	if (count == 0)
		return tool_usage("report");
	if (window < 1 || window > WINDOW_MAX)
		return tool_fail(EXIT_USAGE, "--window: give 1 to %d", WINDOW_MAX);
	if (filing.receipts && !receipts_folder(filing.receipts))
		return EXIT_REFUSED;
	const Avvik__V1__Endpoints *endpoints = tool_endpoints(tool, DAEMON_INTAKE);
	if (!endpoints || !tool_client_options(tool, DAEMON_INTAKE, endpoints->command, &options))
		return EXIT_USAGE;
	status = av_client_open(&options, &filing.client);
	if (status < 0)
		return tool_fail(
			EXIT_AWAY, "cannot use intake at %s: %s", endpoints->command, av_status_text(status));
	filing.window = (size_t)window;
	for (int i = 0; i < count && status == AV_OK; i++)
		status = report_items_each(tool, inputs[i], on_item, &filing);
	if (status == AV_OK)
		status = receive_until(&filing, 0);
	int code = outcome(&filing, status);
	HASH_ITER (hh, filing.pending, one, next)
		pending_free(&filing, one);
	av_client_close(&filing.client);
	return code;
}
