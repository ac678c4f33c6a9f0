"""What is read out of cells and results: response, space, images, files of other programs."""
