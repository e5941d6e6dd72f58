/* programs.c - avvik verify, backup, restore: the daemons' own programs do it, since nobody else opens a
 * store. */
#define _GNU_SOURCE /* environ */
#include "programs.h"

#include <errno.h>
#include <libgen.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subcommands.h"

static int program_run(const char *path, char *const words[])
{
	pid_t pid;
	int status;

	fflush(stdout);
	int error = posix_spawn(&pid, path, NULL, NULL, words, environ);
	if (error)
		return tool_fail(1, "cannot start %s: %s", path, strerror(error));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int programs_run(struct tool *tool, const char *only, const char *word, const char *folder)
{
	char *program = realpath("/proc/self/exe", NULL);
	const char *bin = program ? dirname(program) : ".";
	int failed = 0, ran = 0;

	/* Consumers before their producers: so no cursor in a backup is ahead of the journal that it stands
	 * in. */
	for (int daemon = DAEMON_COUNT; daemon-- > 0;) {
		const char *path = av_arena_printf(tool->arena, "%s/avvik-%s", bin, daemon_names[daemon]);
		const char *of_daemon =
			folder ? av_arena_printf(tool->arena, "%s/%s", folder, daemon_names[daemon]) : NULL;
		if (only && strcmp(only, daemon_names[daemon]) != 0)
			continue;
		ran++;
		char *const words[] = {(char *)path, (char *)"--settings", (char *)tool->settings_path,
			(char *)word, (char *)of_daemon, NULL};
		failed += program_run(path, words) != 0;
	}
	free(program);
	if (!ran)
		return tool_fail(1, "\"%s\" is no daemon: intake, workflow, notification or reporting", only);
	return failed;
}

int command_verify(struct tool *tool, int argc, char **argv)
{
	if (tool_options(tool, argc, argv, NULL, 0, NULL, 0) < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	int failed = programs_run(tool, NULL, "--verify", NULL);
	if (tool->json)
		printf("{\"good\": %s, \"failed\": %d}\n", failed ? "false" : "true", failed);
	else
		printf("%s\n", failed ? "NOT everything holds: see above" : "everything holds");
	return failed ? EXIT_REFUSED : EXIT_DONE;
}

int command_backup(struct tool *tool, int argc, char **argv)
{
	const char *folder = NULL;

	if (tool_options(tool, argc, argv, NULL, 0, &folder, 1) < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	if (!folder)
		return tool_usage("backup");
	if (mkdir(folder, 0700) != 0)
		return tool_fail(EXIT_REFUSED,
			"cannot make the folder %s: %s; choose one that does not exist", folder,
			strerror(errno));
	int failed = programs_run(tool, NULL, "--backup", folder);
	if (!failed)
		printf("backed up to %s; keep each daemon's keys/ apart from its data/, and for a short time "
		       "only: who has both and the\n"
		       "master key can read what was erased since\n",
			folder);
	return failed ? EXIT_REFUSED : EXIT_DONE;
}

int command_restore(struct tool *tool, int argc, char **argv)
{
	const char *folder = NULL, *only = NULL;
	const struct tool_option options[] = {{"only", OPTION_TEXT, &only}};

	if (tool_options(tool, argc, argv, options, AV_COUNT(options), &folder, 1) < 0 ||
		!tool_settings(tool))
		return EXIT_USAGE;
	if (!folder)
		return tool_usage("restore");
	int failed = programs_run(tool, only, "--restore", folder);
	if (!failed)
		printf("restored from %s; start the daemons: consumers that had seen more will say so in "
		       "`avvik status`\n",
			folder);
	return failed ? EXIT_REFUSED : EXIT_DONE;
}
