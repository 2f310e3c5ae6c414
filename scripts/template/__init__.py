"""What ``template.yaml`` deploys: resolved, read as a stack, and checked."""
