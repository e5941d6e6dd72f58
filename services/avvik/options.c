/* options.c - the words of a subcommand, from a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/status.h"
#include "tool.h"

static const struct tool_option *option_find(
	const struct tool_option *options, size_t count, const char *name, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0)
			return &options[i];
	return NULL;
}

static int option_take(struct tool *tool, const struct tool_option *option, const char *value)
{
	char *end;

	switch (option->kind) {
	case OPTION_TEXT:
		*(const char **)option->target = value;
		return AV_OK;
	case OPTION_FLAG:
		*(bool *)option->target = true;
		return AV_OK;
	case OPTION_NUMBER:
		errno = 0;
		*(int64_t *)option->target = strtoll(value, &end, 10);
		if (errno || end == value || *end) {
			tool_fail(0, "--%s: \"%s\" is no number", option->name, value);
			return AV_INVALID;
		}
		return AV_OK;
	case OPTION_TIME:
		return tool_parse_time(tool, option->name, value, option->target);
	case OPTION_DAY: {
		av_day day;
		if (av_day_parse(value, &day) != AV_OK) {
			tool_fail(0, "--%s: \"%s\" is no day: write 2026-04-01", option->name, value);
			return AV_INVALID;
		}
		*(int32_t *)option->target = day;
		return AV_OK;
	}
	}
	return AV_INVALID;
}

int tool_options(struct tool *tool, int argc, char **argv, const struct tool_option *options, size_t count,
	const char **rest, int rest_max)
{
	int kept = 0;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		if (strncmp(word, "--", 2) != 0 || !word[2]) {
			if (kept == rest_max) {
				tool_fail(0, "\"%s\" is one word too many", word);
				tool_usage(tool->subcommand);
				return -1;
			}
			rest[kept++] = word;
			continue;
		}
		const char *equals = strchr(word, '=');
		size_t size = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
		const struct tool_option *option = option_find(options, count, word + 2, size);
		if (!option) {
			tool_fail(0, "%s is not known here", word);
			tool_usage(tool->subcommand);
			return -1;
		}
		const char *value = equals ? equals + 1 : NULL;
		if (option->kind != OPTION_FLAG && !value) {
			if (i + 1 >= argc) {
				tool_fail(0, "%s wants a value", word);
				return -1;
			}
			value = argv[++i];
		}
		if (option_take(tool, option, value) != AV_OK)
			return -1;
	}
	return kept;
}
