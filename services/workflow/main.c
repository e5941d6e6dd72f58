/* main.c - avvik-workflow. README.md is its manual; workflow_service.c holds its tables. */
#include "workflow.h"

int main(int argc, char **argv)
{
	return av_daemon_main(&workflow_service, argc, argv);
}
