/* describe.c - --describe: the tables of a daemon, as they are compiled in */
#include "daemon/daemon_inner.h"
#include "daemon/turn_inner.h"

static const char *name_of(const ProtobufCMessageDescriptor *type, unsigned int number)
{
	const ProtobufCFieldDescriptor *field = av_body_field_by_number(type, number);
	const ProtobufCMessageDescriptor *body = field ? field->descriptor : NULL;
	return body ? body->short_name : "?";
}

static void rights_print(unsigned int rights, FILE *stream)
{
	char text[120] = "";
	size_t at = 0;
	for (int bit = 0; bit < AV_RIGHT_COUNT; bit++) {
		if (rights & 1u << bit && at < sizeof text)
			at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? "," : "",
				av_right_text((enum av_right)(1u << bit)));
	}
	fprintf(stream, " %-26s", text);
}

static void command_print(const struct av_command_row *row, FILE *stream)
{
	static const char *const kinds[] = {"order", "query", "once", "trial"};
	fprintf(stream, "  %-20s %-6s", name_of(&avvik__v1__command__descriptor, row->number),
		kinds[row->kind]);
	rights_print(row->rights, stream);
	fprintf(stream, " %-6s %-8s %s\n", row->flags & AV_LARGE ? "large" : "-",
		row->flags & AV_AT_FULL ? "at-full" : "-", row->emits && row->emits[0] ? row->emits : "-");
}

void describe(const struct av_service *service, FILE *stream)
{
	fprintf(stream,
		"%s %s - %s\n\ncommands: message, kind, rights (any of), size, when the store is full, "
		"emits\n",
		service->name, AVVIK_VERSION, service->purpose);
	for (size_t i = 0; i < service->command_count; i++)
		command_print(&service->commands[i], stream);
	for (size_t i = 0; i < common_command_count; i++)
		command_print(&common_commands[i], stream);
	fprintf(stream, "\nevents consumed: feed, event, emits\n");
	for (size_t i = 0; i < service->event_count; i++)
		fprintf(stream, "  %-14s %-26s %s\n", service->events[i].feed,
			name_of(&avvik__v1__event__descriptor, service->events[i].number),
			service->events[i].emits && service->events[i].emits[0] ? service->events[i].emits
										: "-");
	fprintf(stream, "\ntables: name, kind\n");
	for (size_t i = 0; i < service->table_count; i++)
		fprintf(stream, "  %-26s %s\n", service->tables[i].name,
			service->tables[i].flags & AV_PROJECTION ? "projection" : "kept beside the journal");
	if (service->describe) {
		fputc('\n', stream);
		service->describe(stream);
	}
}
