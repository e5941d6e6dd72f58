/* main.c - avvik, the command-line tool: the table of subcommands, and the words that all of them take. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/status.h"
#include "seal/crypto.h"
#include "subcommands.h"

static void help(void)
{
	printf("avvik - deadlines, notices and figures for deviations and lex Sarah\n\n"
	       "usage: avvik [--settings FILE] [--key NAME] [--as PERSON] [--json] SUBCOMMAND ...\n\n");
	for (size_t i = 0; i < subcommand_count; i++)
		printf("  %-14s %s\n", subcommands[i].name, subcommands[i].summary);
	printf("\n`avvik SUBCOMMAND --help` shows its words and an example.\n"
	       "The settings are looked for in $AVVIK_SETTINGS, state/avvik.yaml and "
	       "/etc/avvik/avvik.yaml.\n");
}

static const struct subcommand *subcommand_find(const char *name)
{
	for (size_t i = 0; i < subcommand_count; i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return NULL;
}

static void usage_print(FILE *file, const struct subcommand *subcommand)
{
	const char *usage = subcommand->usage;
	fprintf(file, "usage: avvik %s%s%s\n", subcommand->name, *usage == '\n' ? "" : " ", usage);
}

int tool_usage(const char *name)
{
	const struct subcommand *subcommand = subcommand_find(name);
	usage_print(stderr, subcommand);
	return EXIT_USAGE;
}

/* Takes the common words off the line wherever they stand before a "--". Answers the new count, -1: a value
 * is missing. */
static int common_words(struct tool *tool, int argc, char **argv)
{
	const struct {
		const char *name;
		const char **target;
	} valued[] = {
		{"--settings", &tool->settings_path}, {"--key", &tool->key_name}, {"--as", &tool->person}};
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		bool taken = false;
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				argv[kept++] = argv[i];
			break;
		}
		if (strcmp(argv[i], "--json") == 0) {
			tool->json = true;
			continue;
		}
		for (size_t v = 0; v < AV_COUNT(valued) && !taken; v++) {
			size_t size = strlen(valued[v].name);
			if (strcmp(argv[i], valued[v].name) == 0) {
				if (i + 1 >= argc)
					return tool_fail(-1, "%s wants a value", argv[i]);
				*valued[v].target = argv[++i];
				taken = true;
			} else if (strncmp(argv[i], valued[v].name, size) == 0 && argv[i][size] == '=') {
				*valued[v].target = argv[i] + size + 1;
				taken = true;
			}
		}
		if (!taken)
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

/* The line without argv[0]. */
static int line_run(struct tool *tool, int argc, char **argv)
{
	argc = common_words(tool, argc, argv);
	if (argc < 0)
		return EXIT_USAGE;
	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0) {
		help();
		return argc == 0 ? EXIT_USAGE : EXIT_DONE;
	}
	if (strcmp(argv[0], "--version") == 0) {
		printf("avvik %s\n", AVVIK_VERSION);
		return EXIT_DONE;
	}
	const struct subcommand *subcommand = subcommand_find(argv[0]);
	if (!subcommand)
		return tool_fail(EXIT_USAGE, "no subcommand \"%s\": `avvik --help` lists them", argv[0]);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			usage_print(stdout, subcommand);
			return EXIT_DONE;
		}
	}
	tool->subcommand = subcommand->name;
	if (tool->key_name && !tool_name_sound(tool->key_name))
		return EXIT_USAGE;
	if (!tool->key_name)
		tool->key_name = subcommand->key;
	return subcommand->run(tool, argc, argv);
}

int main(int argc, char **argv)
{
	struct tool tool = {.program = argv[0], .arena = av_arena_create(0)};

	setlocale(LC_CTYPE, "C.UTF-8"); /* columns are as wide as their letters */
	if (!tool.arena || av_crypto_start() != AV_OK)
		return tool_fail(EXIT_REFUSED, "cannot start: out of memory, or libsodium does not start");
	int code = line_run(&tool, argc - 1, argv + 1);
	for (size_t i = 0; i < DAEMON_COUNT; i++)
		av_client_close(&tool.clients[i]);
	if (fflush(stdout) != 0 || ferror(stdout))
		code = code ? code : EXIT_REFUSED;
	av_arena_destroy(&tool.arena);
	return code;
}
