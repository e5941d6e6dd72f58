# The four daemons together: whole cases, bad input, stores that fail, mail that fails, operation.
foreach(name whole_case whatif takeover case_document lex_course committee_year one_event bad_input store_faults mail_server operations durable)
	av_scenario(scenario_${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${name}.py)
endforeach()
