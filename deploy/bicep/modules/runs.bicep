// The group of the jobs that runs are, made and removed by the daemon. It is a group of its own, since who may change jobs
// may run anything as the identity that a job has, and the one that changes the schema owns the database.
param writerId string

var roles = loadJsonContent('../roles.json')

resource makesJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, writerId, roles.containerAppsJobsContributor)
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.containerAppsJobsContributor)
  }
}

output group string = resourceGroup().name
