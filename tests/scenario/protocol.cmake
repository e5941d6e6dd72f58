av_scenario(scenario_python_client COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/python_client.py)
