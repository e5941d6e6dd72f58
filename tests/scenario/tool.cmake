# The tool: without daemons; reports and receipts; a case from report to closing.
av_scenario(scenario_tool_offline COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/tool_offline.sh)
av_scenario(scenario_tool_report COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/tool_report.sh)
av_scenario(scenario_tool_case COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/tool_case.sh)
