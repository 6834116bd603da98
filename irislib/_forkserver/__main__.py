from irislib._forkserver.server import main

main()
