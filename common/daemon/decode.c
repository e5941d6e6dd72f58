/* decode.c - a command frame before anything believes it
 *
 * The frame is first peeked at: the number of the body, the reference and the message id stand at the top
 * level and are found without allocating. That is enough to choose the way (query or turn), to check rights
 * before work is spent on a large frame, and to answer a peer by its own reference when the rest cannot be
 * read.
 */
#include <string.h>

#include "daemon/turn_inner.h"
#include "wire/rules.h"

#define FIRST_BODY 20u
#define REFERENCE_FIELD 1u
#define MESSAGE_ID_FIELD 3u

struct peek {
	unsigned int number;
	struct av_bytes reference, message_id, body;
};

static bool varint(const unsigned char **at, const unsigned char *end, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned int shift = 0; shift < 64 && *at < end; shift += 7) {
		unsigned char byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static int peek(struct av_bytes wire, struct peek *ret_peek)
{
	const unsigned char *at = wire.data, *end = at + wire.size;
	struct peek found = {0};
	while (at < end) {
		uint64_t tag, value = 0;
		if (!varint(&at, end, &tag))
			return AV_MALFORMED;
		size_t fixed = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : 0;
		if ((tag & 7) != 0 && (tag & 7) != 2 && !fixed)
			return AV_MALFORMED;
		if (!fixed && !varint(&at, end, &value))
			return AV_MALFORMED;
		size_t size = fixed ? fixed : (tag & 7) == 2 ? (size_t)value : 0;
		if (size > (size_t)(end - at))
			return AV_MALFORMED;
		if ((tag & 7) == 2 && tag >> 3 == REFERENCE_FIELD)
			found.reference = av_bytes(at, size);
		else if ((tag & 7) == 2 && tag >> 3 == MESSAGE_ID_FIELD)
			found.message_id = av_bytes(at, size);
		else if ((tag & 7) == 2 && tag >> 3 >= FIRST_BODY && tag >> 3 <= UINT32_MAX) {
			found.number = (unsigned int)(tag >> 3);
			found.body = av_bytes(at, size);
		}
		at += size;
	}
	*ret_peek = found;
	return AV_OK;
}

const struct av_command_row *command_row(const struct av_service *service, unsigned int number)
{
	for (size_t i = 0; i < service->command_count; i++) {
		if (service->commands[i].number == number)
			return &service->commands[i];
	}
	for (size_t i = 0; i < common_command_count; i++) {
		if (common_commands[i].number == number)
			return &common_commands[i];
	}
	return NULL;
}

int av_command_peek(
	const struct av_service *service, struct av_bytes wire, const struct av_command_row **ret_row)
{
	struct peek found;
	int status = peek(wire, &found);
	if (status == AV_OK)
		*ret_row = command_row(service, found.number);
	return status;
}

struct av_bytes command_sent(struct av_bytes wire, unsigned int *ret_number)
{
	struct peek found = {.body = av_bytes("", 0)};
	(void)peek(wire, &found); /* what cannot be read has no body, ignoring */
	*ret_number = found.number;
	return found.body;
}

/* What a peer called its message, when it is plain enough to be given back unread. */
static char *plain(struct av_bytes text, struct av_arena *arena)
{
	static char empty[1];
	const unsigned char *bytes = text.data;
	if (text.size > COMMAND_TEXT_MAX)
		return empty;
	for (size_t i = 0; i < text.size; i++) {
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return empty;
	}
	char *copy = av_arena_zalloc(arena, text.size + 1);
	return copy && text.size ? memcpy(copy, bytes, text.size) : empty;
}

static struct av_bytes refuse(const struct peek *found, int status, unsigned int retry_after_ms,
	const char *text, const struct av_faults *faults, struct av_arena *arena)
{
	Avvik__V1__Reply reply = AVVIK__V1__REPLY__INIT;
	reply.status = (Avvik__V1__ReplyStatus)status;
	reply.reference = plain(found->reference, arena);
	reply.message_id = plain(found->message_id, arena);
	reply.retry_after_ms = retry_after_ms;
	reply.text = text ? (char *)(uintptr_t)text : reply.text;
	if (faults)
		reply_faults(&reply, faults, arena);
	return av_message_pack(&reply.base, arena);
}

struct av_bytes av_reply_plain(struct av_bytes wire, int status, unsigned int retry_after_ms,
	const char *text, struct av_arena *arena)
{
	struct peek found = {0};
	(void)peek(wire, &found); /* a frame that cannot be read has no reference to give back, ignoring */
	return refuse(&found, status, retry_after_ms, text, NULL, arena);
}

/* "publish or administer" */
static const char *rights_text(unsigned int rights, struct av_arena *arena)
{
	const char *text = NULL;
	for (int bit = 0; bit < AV_RIGHT_COUNT; bit++) {
		if (!(rights & 1u << bit))
			continue;
		const char *right = av_right_text((enum av_right)(1u << bit));
		text = text ? av_arena_printf(arena, "%s or %s", text, right) : right;
		if (!text)
			break;
	}
	return text ? text : "none";
}

/* Paths are those of the body: "reporter.name", not "file_report.reporter.name", as handlers say it too. */
static void paths_of_body(struct av_faults *faults, unsigned int number)
{
	const ProtobufCFieldDescriptor *field =
		av_body_field_by_number(&avvik__v1__command__descriptor, number);
	size_t length = field ? strlen(field->name) : 0;
	for (struct av_fault *fault = faults->first; field && fault; fault = fault->next)
		if (strncmp(fault->path, field->name, length) == 0 && fault->path[length] == '.')
			fault->path += length + 1;
}

int command_decode(const struct av_service *service, struct av_bytes wire,
	const struct av_principal *principal, struct av_arena *arena, Avvik__V1__Command **ret_command,
	const struct av_command_row **ret_row, struct av_faults *ret_kept, struct av_bytes *ret_reply)
{
	struct av_faults faults;
	struct peek found = {0};
	ProtobufCMessage *message = NULL;
	const char *text = NULL;
	av_faults_init(&faults, arena);
	int status = peek(wire, &found);
	const struct av_command_row *row = status == AV_OK ? command_row(service, found.number) : NULL;
	struct av_wire_limits limits =
		row && row->flags & AV_LARGE ? AV_WIRE_LIMITS_PUBLISH : AV_WIRE_LIMITS_COMMAND;

	if (status == AV_OK && !principal) {
		status = AV_FORBIDDEN;
		text = "the key of this connection is not, or no longer, allowed here: ask the administrator";
	} else if (status == AV_OK && !row) {
		status = AV_UNSUPPORTED;
		text = av_arena_printf(arena,
			"%s does not answer this message: see the catalogue of messages", service->name);
	} else if (status == AV_OK && !(row->rights & principal->rights)) {
		status = AV_FORBIDDEN;
		text = av_arena_printf(arena, "this needs the right \"%s\", which %s does not have",
			rights_text(row->rights, arena), principal->name);
		av_fault(&faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED, "",
			"the sender lacks the right");
	} else if (status == AV_OK) {
		status = av_message_unpack(
			&avvik__v1__command__descriptor, wire, limits, arena, &faults, &message);
		if (status == AV_OK)
			status = av_rules_check(message, &faults);
	} else {
		text = "the frame is not a Command";
	}
	Avvik__V1__Command *command = (Avvik__V1__Command *)message;
	if (status == AV_OK && row->kind == AV_ORDER && command->reference[0] == '\0') {
		av_fault(&faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_REQUIRED, "reference",
			"an order needs the sender's own reference, so that it can be sent again safely");
		status = AV_INVALID;
	}
	paths_of_body(&faults, found.number);
	if (status == AV_OK) {
		*ret_command = command;
		*ret_row = row;
		*ret_kept = faults;
		return AV_OK;
	}
	int answer = reply_status(status);
	if (!answer) { /* out of memory, while reading */
		answer = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY;
		text = "too much at once: send it again";
	}
	*ret_reply = refuse(&found, answer, status == AV_MEMORY ? 100 : 0, text, &faults, arena);
	return status;
}

int av_command_decode(const struct av_service *service, struct av_bytes wire,
	const struct av_principal *principal, struct av_arena *arena, Avvik__V1__Command **ret_command,
	const struct av_command_row **ret_row, struct av_bytes *ret_reply)
{
	struct av_faults kept; /* queries have nothing that is kept in spite of its form */
	return command_decode(service, wire, principal, arena, ret_command, ret_row, &kept, ret_reply);
}
