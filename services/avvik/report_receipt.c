/* report_receipt.c - receipts: fetched, kept as files, and proved offline.
 *
 * A receipt file is JSON: {"reference": …, "receipt": {…}, "packed": "hex of the packed report"}. `packed` is
 * what the commitment was made over; without it the chain from commitment to signature can still be proved.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "daemon/settings.h"
#include "report_tool.h"
#include "wire/json.h"

static json_t *receipt_json(
	struct tool *tool, const char *reference, const Avvik__V1__Receipt *receipt, struct av_bytes packed)
{
	char *hex = packed.size ? av_arena_alloc(tool->arena, 2 * packed.size + 1) : NULL;

	if (hex)
		av_hex(packed.data, packed.size, hex);
	return json_pack("{ss*soss*}", "reference", *reference ? reference : NULL, "receipt",
		av_json_from(&receipt->base), "packed", hex);
}

static int json_save(const char *path, json_t *value)
{
	const char *why = NULL;
	FILE *file = fopen(path, "w");

	if (!file || json_dumpf(value, file, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0 ||
		fputc('\n', file) == EOF)
		why = strerror(errno);
	if (file && fclose(file) != 0 && !why)
		why = strerror(errno);
	json_decref(value);
	if (why)
		tool_fail(0, "cannot write %s: %s", path, why);
	return why ? AV_IO : AV_OK;
}

int receipt_save(struct tool *tool, const char *path, const char *reference,
	const Avvik__V1__Receipt *receipt, struct av_bytes packed)
{
	return json_save(path, receipt_json(tool, reference, receipt, packed));
}

/* --- fetch --- */

static void receipt_print(struct tool *tool, const char *what, const Avvik__V1__Receipt *receipt)
{
	const Avvik__V1__ReceiptLeaf *leaf = receipt->leaf;

	if (leaf)
		printf("%-11s %s  received %s, recorded %s, entry %llu%s\n", what,
			tool_id_text(tool, leaf->report_id), tool_time(tool, leaf->received_at_ms),
			tool_time(tool, leaf->recorded_at_ms), (unsigned long long)leaf->sequence,
			receipt->erased ? ", erased since" : "");
}

static int found_save(
	struct tool *tool, const char *path, const char *reference, const Avvik__V1__ReceiptFound *found)
{
	json_t *value = receipt_json(tool, reference, found->receipts[0], av_bytes(NULL, 0));
	json_t *supplements = json_array();

	for (size_t i = 1; i < found->n_receipts; i++)
		json_array_append_new(
			supplements, receipt_json(tool, "", found->receipts[i], av_bytes(NULL, 0)));
	if (json_array_size(supplements))
		json_object_set(value, "supplements", supplements);
	json_decref(supplements);
	return json_save(path, value);
}

int report_receipt(struct tool *tool, int argc, char **argv)
{
	const char *text = NULL, *reference = "", *save = NULL;
	const struct tool_option words[] = {
		{"reference", OPTION_TEXT, &reference}, {"save", OPTION_TEXT, &save}};
	Avvik__V1__GetReceipt query = AVVIK__V1__GET_RECEIPT__INIT;
	Avvik__V1__Reply *reply = NULL;
	struct av_id id;
	int code;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &text, 1) < 0)
		return EXIT_USAGE;
	if (!text == !*reference)
		return tool_usage("report");
	if (text && ask_id(text, &id) != AV_OK)
		return EXIT_USAGE;
	if (text)
		query.report_id = ask_id_field(&id);
	query.reference = (char *)(uintptr_t)reference;
	if (!ask(tool, DAEMON_INTAKE, AVVIK__V1__COMMAND__BODY_GET_RECEIPT, &query.base, &reply, &code))
		return code;
	const Avvik__V1__ReceiptFound *found =
		reply->body_case == AVVIK__V1__REPLY__BODY_RECEIPT_FOUND ? reply->receipt_found : NULL;
	code = found && found->n_receipts ? EXIT_DONE : EXIT_REFUSED;
	if (code == EXIT_DONE && save && found_save(tool, save, reference, found) < 0)
		code = EXIT_REFUSED;
	if (code == EXIT_DONE && tool->json)
		tool_print_json(tool, &found->base);
	for (size_t i = 0; code == EXIT_DONE && !tool->json && i < found->n_receipts; i++)
		receipt_print(tool, i ? "supplement" : "report", found->receipts[i]);
	if (code == EXIT_DONE && save && !tool->json)
		printf("saved in %s: `avvik report verify %s` proves it\n", save, save);
	tool_reply_free(&reply);
	return code;
}

/* --- verify --- */

static int public_key_read(struct tool *tool, const char *path, unsigned char ret_key[AV_SIGN_PUBLIC_SIZE])
{
	if (!path)
		path = tool_key_path(tool, "intake.sign.pub");
	if (!path)
		return AV_NOT_FOUND;
	int status = av_sign_public_load(path, ret_key);
	if (status < 0)
		tool_fail(0,
			"no public signing key in %s: %s; give --public FILE: keys/intake.sign.pub of the "
			"instance",
			path, av_status_text(status));
	return status;
}

static int packed_read(struct tool *tool, const json_t *value, struct av_bytes *ret_packed)
{
	const char *hex = json_string_value(json_object_get(value, "packed"));
	size_t size = hex ? strlen(hex) / 2 : 0;
	unsigned char *packed = av_arena_alloc(tool->arena, size + 1);

	*ret_packed = av_bytes(NULL, 0);
	if (!hex)
		return AV_OK;
	if (!packed || av_unhex(hex, packed, size) < 0)
		return AV_INVALID;
	*ret_packed = av_bytes(packed, size);
	return AV_OK;
}

/* One receipt of the file: the wrapper, or the bare receipt. */
static int receipt_verify(
	struct tool *tool, const char *path, const json_t *value, const unsigned char *public_key)
{
	const json_t *inner = json_object_get(value, "receipt");
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	struct av_bytes packed;
	const char *text = "";

	av_faults_init(&faults, tool->arena);
	if (av_json_to(&avvik__v1__receipt__descriptor, inner ? inner : value, tool->arena, &faults,
		    &message) < 0 ||
		packed_read(tool, value, &packed) < 0) {
		tool_fail(0, "%s is no receipt:", path);
		ask_tell(&faults);
		return EXIT_REFUSED;
	}
	const Avvik__V1__Receipt *receipt = (const Avvik__V1__Receipt *)message;
	int status = av_client_check_receipt(receipt, public_key, packed.data, packed.size, &text);
	if (tool->json) {
		json_t *verdict = json_pack("{sbsbssss}", "valid", status == AV_OK, "content_held_against",
			packed.size != 0, "text", text, "report_id",
			receipt->leaf ? tool_id_text(tool, receipt->leaf->report_id) : "");
		char *line = json_dumps(verdict, JSON_PRESERVE_ORDER);
		puts(line ? line : "null");
		free(line);
		json_decref(verdict);
	} else if (status == AV_OK) {
		receipt_print(tool, "report", receipt);
		printf("  VALID: %s\n  by the instance \"%s\", turn sealed %s%s\n", text, receipt->instance,
			tool_time(tool, receipt->turn ? receipt->turn->sealed_at_ms : 0),
			packed.size ? "" : "; the content itself was not at hand");
	} else {
		tool_fail(0, "NOT VALID: %s", text);
	}
	return status == AV_OK ? EXIT_DONE : EXIT_REFUSED;
}

int report_verify(struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *public_path = NULL;
	const struct tool_option words[] = {{"public", OPTION_TEXT, &public_path}};
	unsigned char public_key[AV_SIGN_PUBLIC_SIZE];
	json_error_t error;
	char *text;
	size_t size, index;
	json_t *supplement;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &path, 1) < 0)
		return EXIT_USAGE;
	if (!path)
		return tool_usage("report");
	if (public_key_read(tool, public_path, public_key) < 0)
		return EXIT_USAGE;
	if (ask_file(path, REPORT_INPUT_MAX, &text, &size) < 0)
		return EXIT_REFUSED;
	json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!json_is_object(value)) {
		if (!value)
			tool_fail(0, "%s:%d:%d: %s", path, error.line, error.column,
				av_json_syntax_text(&error));
		json_decref(value);
		return tool_fail(EXIT_REFUSED,
			"%s is no receipt: `avvik report file --receipts` and `report receipt --save` write "
			"them",
			path);
	}
	int code = receipt_verify(tool, path, value, public_key);
	json_array_foreach(json_object_get(value, "supplements"), index, supplement)
	{
		int one = receipt_verify(tool, path, supplement, public_key);
		code = AV_MAX(code, one);
	}
	json_decref(value);
	return code;
}
