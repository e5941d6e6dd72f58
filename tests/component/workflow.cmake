foreach(part takeover takeover_once main_line measures deviations feed refusals ivo sight packs information time ledgers rules reach whatif content correcting queries joining)
	av_test(workflow_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/workflow_${part}.c ${CMAKE_CURRENT_LIST_DIR}/workflow_world.c
		${CMAKE_CURRENT_LIST_DIR}/workflow_steps.c LINKS workflow_parts avvik_harness LABELS component)
	target_compile_definitions(test_workflow_${part} PRIVATE RULES="${CMAKE_CURRENT_LIST_DIR}/../../deploy/rules/se-2025-07.yaml"
		OLD_RULES="${CMAKE_CURRENT_LIST_DIR}/../../deploy/rules/se-2001-453.yaml")
endforeach()
foreach(part takeover takeover_once)
	target_sources(test_workflow_${part} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/workflow_taken.c)
endforeach()
