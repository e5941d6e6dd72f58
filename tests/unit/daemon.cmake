# The parts of the skeleton that need no store.
foreach(part queue settings)
	av_test(daemon_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/daemon_${part}.c LINKS avvik_daemon LABELS unit)
endforeach()
