/* publish.c - a YAML file that is published whole, with every fault told by its place in the file. */
#include "publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"

int published_open(struct tool *tool, const char *path, const ProtobufCMessageDescriptor *type,
	struct published_file *ret_file)
{
	*ret_file = (struct published_file){.path = path};
	av_faults_init(&ret_file->faults, tool->arena);
	int status = av_yaml_open_file(path, &ret_file->faults, &ret_file->yaml);
	if (status < 0 && !ret_file->faults.count) {
		tool_fail(0, "cannot read %s: %s", path,
			status == AV_NOT_FOUND ? "no such file" : av_status_text(status));
		return status;
	}
	if (status == AV_OK)
		av_yaml_to(ret_file->yaml, type, tool->arena, &ret_file->faults, &ret_file->message);
	if (!ret_file->message && !ret_file->faults.count) {
		tool_fail(0, "%s is empty", path);
		return AV_INVALID;
	}
	return AV_OK;
}

void published_close(struct published_file *file)
{
	av_yaml_close(&file->yaml);
}

static int tell(struct tool *tool, const struct published_file *file)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): `from` can be NULL, `file` cannot */
	size_t count = file->faults.count;

	if (tool->json) {
		json_t *list = json_array();
		for (const struct av_fault *fault = file->faults.first; fault; fault = fault->next)
			json_array_append_new(
				list, json_pack("{ssss}", "path", fault->path, "text", fault->text));
		json_t *verdict = json_pack("{sbso}", "sound", count == 0, "faults", list);
		char *text = json_dumps(verdict, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		puts(text ? text : "null");
		free(text);
		json_decref(verdict);
	} else if (count) {
		tool_fail(0, "%s has %zu fault%s:", file->path, count, count == 1 ? "" : "s");
		ask_tell(&file->faults);
	}
	return count ? EXIT_REFUSED : EXIT_DONE;
}

int published_judge(struct tool *tool, struct published_file *file, struct av_fault **from, const char *sound)
{
	if (from && *from && file->yaml)
		av_yaml_mark_faults(file->yaml, *from, tool->arena);
	int code = tell(tool, file);
	if (code == EXIT_DONE && !tool->json && sound)
		printf("%s\n", sound);
	return code;
}

/* The daemon's faults speak of the order; the file has the same paths without the order's own field. */
static void take_faults(struct published_file *file, const char *prefix, const Avvik__V1__Reply *reply)
{
	for (size_t i = 0; i < reply->n_faults; i++) {
		const char *path = reply->faults[i]->path;
		if (strncmp(path, prefix, strlen(prefix)) == 0)
			path += strlen(prefix);
		av_fault(&file->faults, (int)reply->faults[i]->code, path, "%s", reply->faults[i]->text);
	}
}

int published_send(struct tool *tool, struct published_file *file, const char *prefix, unsigned int number,
	ProtobufCMessage *order)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	struct av_bytes packed = av_message_pack(order, tool->arena);

	command.reference = (char *)(uintptr_t)ask_reference(tool, "publish", packed);
	av_body_set(&command.base, number, order);
	Avvik__V1__Reply *reply = tool_call(tool, DAEMON_INTAKE, &command);
	if (!reply)
		return EXIT_AWAY;
	int code = EXIT_DONE;
	if (reply->status != AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE && reply->n_faults) {
		take_faults(file, prefix, reply);
		code = published_judge(tool, file, &file->faults.first, NULL);
	} else {
		code = tool_refused(tool, reply);
	}
	if (code == EXIT_DONE && tool->json)
		tool_print_json(tool, &reply->base);
	else if (code == EXIT_DONE)
		printf("published %s%s%s%s\n", file->path,
			reply->repeated ? " before: nothing was done again" : "", *reply->text ? ": " : "",
			reply->text);
	tool_reply_free(&reply);
	return code;
}
