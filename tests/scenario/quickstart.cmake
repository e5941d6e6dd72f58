# The whole story, on the released programs, in a state folder of its own.
av_scenario(quickstart COMMAND ${CMAKE_CURRENT_LIST_DIR}/quickstart.sh ${CMAKE_BINARY_DIR}/quickstart TIMEOUT 300)
set_tests_properties(quickstart PROPERTIES RUN_SERIAL TRUE)
